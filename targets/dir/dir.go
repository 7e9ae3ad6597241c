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
	keep targets.Keep
}

var (
	_ targets.Target = (*Target)(nil)
)

const (
	releases = "releases"
	current  = "current"
	lockFile = ".mirror.lock"
)

// New is the targets.Factory of the kind "dir".
func New(_ context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	t, err := Open(c)
	if err != nil {
		return nil, err
	}
	t.keep = env.Keep
	return t, nil
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
	held, kept, err := t.readLive(ctx, t.keep.Beside(rel.Manifest))
	if err == nil {
		err = t.keep.Clash(rel, kept)
	}
	if err != nil {
		return targets.Plan{}, err
	}
	plan := targets.Plan{Live: live, Kept: kept, Changes: diff.Manifests(held, rel.Manifest)}
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
	return t.locked(ctx, func(p *place) error {
		staged, err := p.newest(s.To)
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
		if err := t.turnFrom(ctx, p, live.Revision, staged); err != nil {
			return err
		}
		p.wentLive(s.To)
		return nil
	})
}

// Rollback turns the symlink back to s.From, or removes it.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	return t.locked(ctx, func(p *place) error {
		live, err := t.Live(ctx)
		switch {
		case err != nil:
			return err
		case live == s.From:
			return nil
		case live.Release != s.To:
			return fmt.Errorf("dir: %s is live: %w", live.Release.Short(), targets.ErrConflict)
		case s.From.Revision == "":
			err = p.clear()
		default:
			err = t.turnFrom(ctx, p, live.Revision, s.From.Revision)
		}
		if err == nil {
			p.wasUndone(s.To)
		}
		return err
	})
}

// turn makes the link current lead elsewhere, in one step.
func (p *place) turn(to string) error {
	const made = current + partial
	err := p.root.RemoveAll(made)
	if err == nil {
		err = p.root.Symlink(to, made)
	}
	if err == nil {
		err = p.root.Rename(made, current)
	}
	if err != nil {
		return fmt.Errorf("dir: turn %s: %w", current, err)
	}
	return syncFolder(p.root, ".")
}

func (p *place) clear() error {
	if err := p.root.Remove(current); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return syncFolder(p.root, ".")
}

// newest returns the symlink text for the staged copy of a release with the highest number.
func (p *place) newest(id site.ID) (string, error) {
	copies, _, err := p.copies(id)
	if err != nil {
		return "", err
	}
	if len(copies) == 0 {
		return "", fmt.Errorf("dir: %s: %w", id.Short(), targets.ErrNotStaged)
	}
	return filepath.Join(releases, copies[len(copies)-1]), nil
}

// copies lists the folders of the complete copies of a release, the newest last, and the name
// for the next. What has such a name and is no folder is not ours, and is left alone.
func (p *place) copies(id site.ID) (names []string, free string, err error) {
	for n := 1; ; n++ {
		name := copyName(id, n)
		info, err := p.releases.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return names, name, nil
		case err != nil:
			return nil, "", fmt.Errorf("dir: %w", err)
		case info.IsDir():
			names = append(names, name)
		}
	}
}

func copyName(id site.ID, n int) string {
	if n == 1 {
		return string(id)
	}
	return string(id) + "." + strconv.Itoa(n)
}
