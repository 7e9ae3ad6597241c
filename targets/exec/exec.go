// Package exec publishes to any other place by a program of the user's: it is run once for each request, which it
// gets as one line of JSON and as environment variables, and prints lines of JSON of which the last one is the
// answer. docs/targets/exec.md is the protocol.
package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"mirror/diff"
	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets"
)

// Target is a place that a program publishes to.
type Target struct {
	program program

	mu     sync.Mutex // held during each request: a program need not expect two at once from one publisher
	beacon string     // path of the beacon as far as it is known; guarded by mu
}

var (
	_ targets.Target    = (*Target)(nil)
	_ targets.Historian = (*Target)(nil)
)

// New is the targets.Factory of the kind "exec".
func New(_ context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	if len(env.Keep) > 0 {
		return nil, errors.New("publish.keep: the program of an exec target is not asked to keep files")
	}
	return Open(c)
}

// Open makes the target ready. It runs nothing.
func Open(c Config) (*Target, error) {
	if len(c.Command) == 0 {
		return nil, errors.New("command: missing")
	}
	if err := targets.Validate(c); err != nil {
		return nil, err
	}
	timeout, err := timeoutOf(c.Timeout)
	return &Target{program: program{c.Command, c.Workdir, timeout}, beacon: site.DefaultBeacon}, err
}

// ask makes a request, for which it makes a folder that is removed afterwards.
func (t *Target) ask(ctx context.Context, r request, prepare func(folder string) (request, error), hear func(l line) error) (answer line, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	folder, err := os.MkdirTemp("", "mirror-exec-")
	if err != nil {
		return line{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if prepare != nil {
		if r, err = prepare(folder); err != nil {
			return line{}, err
		}
		t.beacon = r.Beacon
	}
	r.Tmp, r.Beacon = folder, t.beacon
	return t.program.ask(ctx, r, hear)
}

// Live asks for what is live.
func (t *Target) Live(ctx context.Context) (targets.Live, error) {
	answer, err := t.ask(ctx, request{Op: "live"}, nil, nil)
	if err != nil {
		return targets.Live{}, err
	}
	return answer.live()
}

func (l line) live() (targets.Live, error) {
	live := targets.Live{Release: l.Release, Revision: l.Revision}
	if live.Release != site.None {
		id, err := site.ParseID(string(live.Release))
		if err != nil || live.Revision == "" {
			return targets.Live{}, errors.New("the program names a release that is none, or one without a revision")
		}
		live.Release = id
	}
	return live, nil
}

// listing collects the files that a program lists.
type listing struct{ files site.Manifest }

func (s *listing) hear(l line) error {
	switch {
	case l.Sum != "":
		m, err := site.ReadManifest(strings.NewReader(l.Sum + "\n"))
		if err != nil || len(m) != 1 || l.Size < 0 {
			return errors.New("it is not a line of sha256sum with a size")
		}
		m[0].Size, m[0].Path = l.Size, strings.TrimPrefix(m[0].Path, "./")
		s.files = append(s.files, m[0])
	case l.Path != "":
		s.files = append(s.files, site.File{Path: strings.TrimPrefix(l.Path, "./")})
	}
	return nil
}

// manifest is what was listed, without the beacon.
func (s *listing) manifest(beacon string) (site.Manifest, error) {
	s.files.Sort()
	for i := 1; i < len(s.files); i++ {
		if s.files[i].Path == s.files[i-1].Path {
			return nil, fmt.Errorf("the program lists %q twice", s.files[i].Path)
		}
	}
	return slices.DeleteFunc(s.files, func(f site.File) bool { return f.Path == beacon && f.Size <= site.MaxBeacon }), nil
}

// Plan has the program list what is live, and compares.
func (t *Target) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	var s listing
	answer, err := t.ask(ctx, request{Op: "plan", Release: rel.ID()}, nil, s.hear)
	if err != nil {
		return targets.Plan{}, err
	}
	live, err := answer.live()
	if err != nil {
		return targets.Plan{}, err
	}
	held, err := s.manifest(rel.BeaconPath)
	if err != nil {
		return targets.Plan{}, err
	}
	plan := targets.Plan{Live: live, Changes: diff.Manifests(held, rel.Manifest)}
	if live.Release == site.None && !answer.Recorded {
		plan.Foreign = plan.Changes.Delete
	}
	for _, paths := range [][]string{plan.Changes.Add, plan.Changes.Change} {
		for _, path := range paths {
			f, _ := rel.Manifest.Find(path)
			plan.Bytes += f.Size
		}
	}
	return plan, nil
}

// Stage gives the program a folder with the release.
func (t *Target) Stage(ctx context.Context, rel *site.Release, progress targets.Progress) error {
	if progress != nil {
		progress.Expect(len(rel.Manifest), rel.Manifest.Bytes())
	}
	told := 0
	hear := func(l line) error {
		if l.Progress != nil && progress != nil && l.Progress.Files >= 0 && l.Progress.Bytes >= 0 {
			progress.Sent(l.Progress.Files, l.Progress.Bytes)
			told++
		}
		return nil
	}
	prepare := func(folder string) (request, error) { return lay(ctx, folder, rel) }
	_, err := t.ask(ctx, request{}, prepare, hear)
	if err == nil && told == 0 && progress != nil {
		progress.Sent(len(rel.Manifest), rel.Manifest.Bytes())
	}
	return err
}

// lay writes the release into a folder.
func lay(ctx context.Context, folder string, rel *site.Release) (request, error) {
	r := request{
		Op: "stage", Release: rel.ID(), Folder: filepath.Join(folder, "site"), Manifest: filepath.Join(folder, "manifest"), Beacon: rel.BeaconPath,
	}
	for _, f := range rel.Manifest {
		if err := layFile(ctx, r.Folder, rel, f); err != nil {
			return r, fmt.Errorf("stage %q: %w", f.Path, err)
		}
	}
	var list bytes.Buffer
	_, err := rel.Manifest.WriteTo(&list)
	if err == nil {
		err = os.WriteFile(r.Manifest, list.Bytes(), 0o600)
	}
	if err == nil && rel.BeaconPath != "" {
		name := filepath.Join(r.Folder, filepath.FromSlash(rel.BeaconPath))
		if err = os.MkdirAll(filepath.Dir(name), 0o755); err == nil {
			err = os.WriteFile(name, rel.Beacon(), 0o644)
		}
	}
	return r, err
}

func layFile(ctx context.Context, folder string, rel *site.Release, f site.File) error {
	from, err := rel.OpenContext(ctx, f)
	if err != nil {
		return err
	}
	defer from.Close()
	name := filepath.Join(folder, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// Commit asks for the commit, after a last look at the places that are reserved for the same publish.
func (t *Target) Commit(ctx context.Context, s targets.Swap) error {
	if err := targets.Fence(ctx); err != nil {
		return err
	}
	return t.swap(ctx, "commit", s)
}

// Rollback asks for the rollback.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	return t.swap(ctx, "rollback", s)
}

func (t *Target) swap(ctx context.Context, op string, s targets.Swap) error {
	_, err := t.ask(ctx, request{Op: op, Release: s.To, From: &state{s.From.Release, s.From.Revision}}, nil, nil)
	return err
}

// ReadBack has the program list what is live.
func (t *Target) ReadBack(ctx context.Context) (site.Manifest, error) {
	var s listing
	if _, err := t.ask(ctx, request{Op: "readback"}, nil, s.hear); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.manifest(t.beacon)
}

// maxManifest bounds a list of files that a program names, in bytes.
const maxManifest = 512 << 20

// Past asks for what was live. What is live and is not of mirror's is listed by itself.
func (t *Target) Past(ctx context.Context, limit int, of []string) ([]site.Past, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	var past []site.Past
	if live.Release == site.None && live.Revision != "" {
		m, err := t.ReadBack(ctx)
		if err != nil {
			return nil, err
		}
		past = append(past, site.Past{Manifest: m})
	}
	hear := func(l line) error {
		if l.Past == nil || len(past) >= limit {
			return nil
		}
		text, err := regular.ReadFile(l.Past.Manifest, maxManifest)
		if err != nil {
			return err
		}
		m, err := site.ReadManifest(bytes.NewReader(text))
		if err != nil || m.ID() != l.Past.Release {
			return nil // what cannot be read is left out
		}
		past = append(past, site.Past{Release: m.ID(), Published: l.Past.Published, Manifest: m})
		return nil
	}
	_, err = t.ask(ctx, request{Op: "past", Limit: limit, Paths: of}, nil, hear)
	return past[:min(len(past), limit)], err
}
