// Package dir publishes to a folder on this machine or on a mounted disk, which a web
// server serves: releases/<id>/ hold the releases, and the symlink current names the live one.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
)

// Config is the target's part of mirror.yaml.
type Config struct {
	// Path is the folder that holds releases/ and current.
	Path string `yaml:"path" jsonschema:"required,format=path"`
}

// Target is a folder whose symlink current is turned from release to release. The turn is
// one rename(2): a reader sees all of a release or nothing of it.
//
// A release that has to be staged again because the live copy of it was tampered with gets
// a folder of its own, releases/<id>.2 and so on. releases/<id>.sha256 lists what a release
// consists of.
type Target struct {
	path string
}

var (
	_ targets.Target = (*Target)(nil)
)

const (
	releases = "releases"
	current  = "current"
	lockFile = ".mirror.lock"
	lockPoll = 20 * time.Millisecond
)

// New is the targets.Factory of the kind "dir".
func New(_ context.Context, _ targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	return Open(c)
}

// Open makes the folder if it is not there.
func Open(c Config) (*Target, error) {
	if c.Path == "" {
		return nil, errors.New("dir: path is missing")
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("dir: %w", err)
	}
	return &Target{path: path}, nil
}

// Plan hashes what is live and compares.
func (t *Target) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return targets.Plan{}, err
	}
	held, err := t.ReadBack(ctx)
	if err != nil {
		return targets.Plan{}, err
	}
	plan := targets.Plan{Live: live, Changes: diff.Manifests(held, rel.Manifest)}
	if len(plan.Changes.Delete) > 0 && !t.recorded(live, rel.BeaconPath) {
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

// Live reads the symlink.
func (t *Target) Live(context.Context) (targets.Live, error) {
	to, err := os.Readlink(filepath.Join(t.path, current))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return targets.Live{}, nil
	case err != nil:
		return targets.Live{}, fmt.Errorf("dir: %s is no symlink (hint: move the folder away; mirror makes the link): %w", filepath.Join(t.path, current), err)
	}
	return targets.Live{Release: releaseOf(to), Revision: to}, nil
}

// releaseOf tells the release from the symlink's text: releases/<id> or releases/<id>.<n>.
func releaseOf(to string) site.ID {
	name, ok := strings.CutPrefix(filepath.ToSlash(to), releases+"/")
	if !ok {
		return site.None
	}
	name, _, _ = strings.Cut(name, ".")
	id, err := site.ParseID(name)
	if err != nil {
		return site.None
	}
	return id
}

// Commit turns the symlink to the newest staged copy of s.To.
func (t *Target) Commit(ctx context.Context, s targets.Swap) error {
	return t.locked(ctx, func() error {
		staged, err := t.newest(s.To)
		if err != nil {
			return err
		}
		live, err := t.Live(ctx)
		switch {
		case err != nil:
			return err
		case live.Revision == staged:
			return nil
		case live != s.From:
			return fmt.Errorf("dir: %s is live: %w", live.Release.Short(), targets.ErrConflict)
		}
		if err := t.turn(staged); err != nil {
			return err
		}
		t.wentLive(s.To)
		return nil
	})
}

// Rollback turns the symlink back to s.From, or removes it.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	return t.locked(ctx, func() error {
		live, err := t.Live(ctx)
		switch {
		case err != nil:
			return err
		case live == s.From:
			return nil
		case live.Release != s.To:
			return fmt.Errorf("dir: %s is live: %w", live.Release.Short(), targets.ErrConflict)
		case s.From.Revision == "":
			err = t.clear()
		default:
			err = t.turn(s.From.Revision)
		}
		if err == nil {
			t.wasUndone(s.To)
		}
		return err
	})
}

func (t *Target) turn(to string) error {
	if err := renameio.Symlink(to, filepath.Join(t.path, current)); err != nil {
		return fmt.Errorf("dir: turn %s: %w", current, err)
	}
	return syncFolder(t.path)
}

func (t *Target) clear() error {
	if err := os.Remove(filepath.Join(t.path, current)); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return syncFolder(t.path)
}

// locked keeps other publishers of this folder out while do compares and turns.
func (t *Target) locked(ctx context.Context, do func() error) error {
	if err := os.MkdirAll(t.path, 0o755); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	lock := flock.New(filepath.Join(t.path, lockFile))
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("dir: lock %s: %w", t.path, err)
	}
	return errors.Join(do(), lock.Unlock())
}

// newest returns the symlink text for the staged copy of a release with the highest number.
func (t *Target) newest(id site.ID) (string, error) {
	copies, err := t.copies(id)
	if err != nil {
		return "", err
	}
	if len(copies) == 0 {
		return "", fmt.Errorf("dir: %s: %w", id.Short(), targets.ErrNotStaged)
	}
	return copies[len(copies)-1], nil
}

// copies lists the complete copies of a release, the newest last, as symlink texts.
func (t *Target) copies(id site.ID) ([]string, error) {
	var found []string
	for n := 1; ; n++ {
		name := copyName(id, n)
		switch _, err := os.Stat(filepath.Join(t.path, releases, name)); {
		case errors.Is(err, fs.ErrNotExist):
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("dir: %w", err)
		}
		found = append(found, filepath.Join(releases, name))
	}
}

func copyName(id site.ID, n int) string {
	if n == 1 {
		return string(id)
	}
	return string(id) + "." + strconv.Itoa(n)
}
