package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirror/internal/check"
	"mirror/internal/config"
	"mirror/internal/origin"
	"mirror/internal/state"
	"mirror/site"
	"mirror/targets"
)

// workspace is a config and the state folder beside it.
type workspace struct {
	app    *app
	config *config.Config
	state  state.Folder
	paces  map[string]*origin.Pace // of the origins, over all that one run asks
}

// open reads the config. Everything that can be wrong with it is a usage error.
func (a *app) open() (*workspace, error) {
	file := a.configFile
	if file == "" {
		found, err := config.Find(".")
		if err != nil {
			return nil, usage(err)
		}
		file = found
	}
	c, err := config.Load(file, a.getenv, a.kinds)
	if err != nil {
		return nil, usage(err)
	}
	a.learn(c)
	if err := errors.Join(validatePlaces(c, a.kinds), selectTargets(c, a.only)); err != nil {
		return nil, usage(err)
	}
	where := a.stateDir
	if where == "" {
		where = filepath.Join(filepath.Dir(file), state.Name)
	}
	s, err := state.Open(where)
	if err != nil {
		return nil, err
	}
	w := &workspace{app: a, config: c, state: s, paces: map[string]*origin.Pace{}}
	for _, t := range c.Targets {
		w.paces[t.Name] = origin.NewPace(c.Check.For(t.Origin).Rate)
	}
	return w, nil
}

// selectTargets keeps the named targets, all where none is named.
func selectTargets(c *config.Config, only []string) error {
	var names []string
	for _, t := range c.Targets {
		names = append(names, t.Name)
	}
	for _, name := range only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--target %s: there is no such target in %s (it has %s)", name, c.File, strings.Join(names, ", "))
		}
	}
	if len(only) > 0 {
		c.Targets = slices.DeleteFunc(c.Targets, func(t config.Target) bool { return !slices.Contains(only, t.Name) })
	}
	return nil
}

func (a *app) completeTargets(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	only := a.only
	a.only = nil
	w, err := a.open()
	a.only = only
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, t := range w.config.Targets {
		names = append(names, t.Name+"\t"+t.Type)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// beacon returns the beacon's manifest path.
func (w *workspace) beacon() string { return strings.TrimPrefix(w.config.Site.Beacon, "/") }

// tree is a scanned site. Its release's bytes can be read until Close.
type tree struct {
	*site.Release
	root *os.Root
}

// Close ends the reading of the site.
func (t tree) Close() error { return t.root.Close() }

// scan reads the site's folder into a release.
func (w *workspace) scan(ctx context.Context, d *display) (tree, error) {
	root, err := site.Open(w.config.Site.Dir)
	if err != nil {
		hint := "is site.dir right?"
		if w.config.Site.Build != "" {
			hint = "publish --build runs " + w.config.Site.Build
		}
		return tree{}, fmt.Errorf("%w (hint: %s)", err, hint)
	}
	cache, err := site.OpenCache(w.state.ScanCache())
	if err != nil {
		w.app.warnings.add("every file is hashed again: %v", err)
	}
	rel, err := site.Scan(ctx, root.FS(), site.ScanOptions{
		Exclude: w.excludes(), BeaconPath: w.beacon(), Published: time.Now(), Cache: cache, Progress: d.hashing(),
	})
	if err != nil {
		return tree{}, errors.Join(fmt.Errorf("scan %s: %w", w.config.Site.Dir, err), root.Close())
	}
	d.line("site     %s: %d files, release %s", w.config.Site.Dir, len(rel.Manifest), rel.ID().Short())
	if err := cache.Save(); err != nil {
		w.app.warnings.add("the next scan hashes every file again: %v", err)
	}
	return tree{rel, root}, nil
}

// excludes adds the state folder and the config, where they lie inside the site.
func (w *workspace) excludes() []string {
	exclude := slices.Clone(w.config.Site.Exclude)
	for _, own := range []string{w.state.Dir(), w.config.File} {
		if path, ok := inside(w.config.Site.Dir, own); ok {
			exclude = append(exclude, path)
		}
	}
	return exclude
}

func inside(dir, path string) (string, bool) {
	a, errA := filepath.Abs(dir)
	b, errB := filepath.Abs(path)
	rel, err := filepath.Rel(a, b)
	return filepath.ToSlash(rel), errors.Join(errA, errB, err) == nil && filepath.IsLocal(rel) && rel != "."
}

// destinations opens the targets.
func (w *workspace) destinations(ctx context.Context) ([]targets.Destination, error) {
	owner, err := w.state.Owner()
	if err != nil {
		w.app.warnings.add("this run has a name of its own in the locks of targets: %v", err)
	}
	var dests []targets.Destination
	var errs []error
	for _, t := range w.config.Targets {
		env := targets.Env{
			State: w.state.Target(t.Name), Owner: owner, Getenv: w.app.getenv, Secret: w.app.secrets.Add,
			Log: w.app.log().With("target", t.Name),
		}
		kind, _ := w.app.kinds.Find(t.Type) // the config has known kinds only
		opened, err := kind.Open(ctx, env, t.Decode)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.Name, err))
			continue
		}
		dests = append(dests, targets.Destination{Name: t.Name, Kind: kind, Origin: t.Origin.URL, Target: opened})
	}
	return dests, errors.Join(errs...)
}

// origins lists the live origins that the config names.
func (w *workspace) origins() []origin.Endpoint {
	var all []origin.Endpoint
	for _, t := range w.config.Targets {
		if t.Origin.URL == nil {
			continue
		}
		c := w.config.Check.For(t.Origin)
		all = append(all, origin.Endpoint{
			Name: t.Name, URL: t.Origin.URL,
			Style:   site.URLStyle{CleanURLs: t.Origin.CleanURLs, NoIndex: !t.Origin.ServesIndex()},
			CDN:     t.Origin.CDN,
			Options: origin.Options{Concurrency: c.Concurrency, Rate: c.Rate, Pace: w.paces[t.Name], Timeout: c.Timeout, Confirm: c.Confirm, Headers: c.Headers},
		})
	}
	return all
}

// lookFor says what a check of a release looks for. absent are paths that it does not have
// and that may be live all the same.
func (w *workspace) lookFor(rel *site.Release, absent []string, d *display) check.Options {
	o := check.Options{
		Release: rel.ID(), Manifest: rel.Manifest, BeaconPath: w.beacon(), NotFound: w.config.Site.NotFound,
		Absent: absent, Ignore: w.config.Check.Ignore, Progress: d.checking, Waiting: d.waiting,
	}
	for _, n := range w.config.Check.Normalize {
		o.Normalize = append(o.Normalize, check.Rule{Match: n.Match, Remove: n.Remove})
	}
	if rel.Readable() {
		o.Open = rel.ReadFile
	}
	return o
}

// isMissing reports whether the site's folder is not there.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
