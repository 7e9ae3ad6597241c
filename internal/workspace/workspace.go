// Package workspace holds what one run of the program works with (a config, the state folder
// beside it, the history, the targets and the live origins, each opened once) and what it
// does with them: publish, check, watch, report, prune. The commands, the daemon and the tests
// call the same use-cases; flags, printing and exit codes are theirs.
package workspace

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"mirror/internal/cdn"
	"mirror/internal/config"
	"mirror/internal/history"
	"mirror/internal/origin"
	"mirror/internal/regular"
	"mirror/internal/secrets"
	"mirror/internal/state"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
)

// Options say what to open.
type Options struct {
	ConfigFile string // "" for mirror.yaml in this folder or one above it
	StateDir   string // "" for .mirror beside the config
	Only       []string
	Kinds      targets.Kinds
	Getenv     func(string) string
	Log        *slog.Logger
	Events     Events
	// Untrusted are the limits of a config that is not trusted; nil for none.
	Untrusted *config.Untrusted
	// Secrets are kept out of what is stored; those of the config are added. nil for none.
	Secrets *secrets.Scrubber
	// Warnings collects what fails without changing an outcome. It may be nil.
	Warnings *Warnings
	// Output gets what the site's build command prints.
	Output io.Writer
	// History is used in place of one that is opened, and stays open; nil for none.
	History *history.Store
	// Places look at the origins from other machines; nil for from here alone.
	Places Places
}

// UsageError is wrong usage or a wrong config: nothing was attempted.
type UsageError struct{ Err error }

// Error is that of Err.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *UsageError) Unwrap() error { return e.Err }

func usage(err error) error { return &UsageError{err} }

// Workspace is a config, the state folder beside it, and what is opened from them when it is
// first needed. It is not safe for concurrent use but for what the methods say.
type Workspace struct {
	Config *config.Config
	State  state.Folder

	options Options
	*opened
}

// opened is what is opened once.
type opened struct {
	paces   map[string]*origin.Pace    // of the origins, over all that one run asks
	uniques map[string]*origin.Uniques // requests past the origins' caches, over the same

	mu         sync.Mutex // guards what follows
	history    *history.Store
	historyErr error
	dests      []targets.Destination
	destsErr   error
	destsOpen  bool
	erased     []string // paths that this run removes for good
	public     bool     // checks ask public places, too
}

// Open reads the config. Everything that can be wrong with it is a *UsageError.
func Open(o Options) (*Workspace, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Output == nil {
		o.Output = io.Discard
	}
	file := o.ConfigFile
	if file == "" {
		found, err := config.Find(".")
		if err != nil {
			return nil, usage(err)
		}
		file = found
	}
	if err := o.Untrusted.Validate(); err != nil {
		return nil, usage(err)
	}
	c, err := config.Source{Getenv: o.Getenv, Kinds: o.Kinds, Untrusted: o.Untrusted}.Load(file)
	if err != nil {
		return nil, usage(err)
	}
	learnSecrets(o, c)
	if err := selectTargets(c, o.Only); err != nil {
		return nil, usage(err)
	}
	s, err := state.Open(cmp.Or(o.StateDir, filepath.Join(filepath.Dir(file), state.Name)))
	if errors.Is(err, state.ErrForeign) {
		return nil, usage(err)
	}
	if err != nil {
		return nil, err
	}
	w := &Workspace{Config: c, State: s, options: o, opened: &opened{paces: map[string]*origin.Pace{}, uniques: newUniques(c), history: o.History}}
	for _, o := range originsOf(c) {
		w.paces[o.Name] = origin.NewPace(c.CheckFor(o.Origin).Rate)
	}
	return w, nil
}

// With returns the workspace for one run of a job, which is heard of, and prints, elsewhere. It
// opens the targets anew, and shares the history, if that is open, and the rates of the origins.
func (w *Workspace) With(events Events, output io.Writer, log *slog.Logger) *Workspace {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.options
	o.Events, o.Output, o.Log, o.History = events, output, log, w.history
	return &Workspace{Config: w.Config, State: w.State, options: o, opened: &opened{paces: w.paces, uniques: newUniques(w.Config), history: o.History}}
}

// cacheTraits returns what is known of the caches before an origin. cdn: true says nothing of them, and overrules what the types
// of purge say.
func cacheTraits(o config.Origin) (t origin.CacheTraits) {
	if p, ok := o.CDN.Provider(); ok {
		t.IgnoresQuery = !p.Query.Yes
	}
	if o.CDN.On() {
		return t
	}
	for _, one := range o.Purge {
		if p, ok := cdn.Find(one.Type); ok && !p.Query.Yes {
			t.IgnoresQuery = true
		}
	}
	return t
}

// newUniques returns the budgets of requests past the caches for one run.
func newUniques(c *config.Config) map[string]*origin.Uniques {
	all := map[string]*origin.Uniques{}
	for _, o := range originsOf(c) {
		all[o.Name] = origin.NewUniques(origin.MostUnique)
	}
	return all
}

// renewUniques begins the budgets of requests past the caches anew: for another publish or check.
func (w *Workspace) renewUniques() {
	for _, u := range w.uniques {
		u.Renew(origin.MostUnique)
	}
}

// Close closes what was opened.
func (w *Workspace) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.history == nil || w.options.History != nil {
		return nil
	}
	err := w.history.Close()
	w.history = nil
	return err
}

// originsOf lists the live origins that a config names: those of the targets, then those that are
// never published to.
func originsOf(c *config.Config) []config.OwnOrigin {
	var all []config.OwnOrigin
	for _, t := range c.Targets {
		if t.Origin.URL != nil {
			all = append(all, config.OwnOrigin{Name: t.Name, Origin: t.Origin})
		}
	}
	return append(all, c.Origins...)
}

// selectTargets keeps the named targets and origins, all where none is named.
func selectTargets(c *config.Config, only []string) error {
	var names []string
	for _, t := range c.Targets {
		names = append(names, t.Name)
	}
	for _, o := range c.Origins {
		names = append(names, o.Name)
	}
	for _, name := range only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--target %s: there is no such target in %s (it has %s)", name, c.File, strings.Join(names, ", "))
		}
	}
	if len(only) > 0 {
		c.Targets = slices.DeleteFunc(c.Targets, func(t config.Target) bool { return !slices.Contains(only, t.Name) })
		c.Origins = slices.DeleteFunc(c.Origins, func(o config.OwnOrigin) bool { return !slices.Contains(only, o.Name) })
	}
	return nil
}

// History returns the history, which the first call opens. One that cannot be opened is tried
// again only where another process held it.
func (w *Workspace) History(ctx context.Context) (*history.Store, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.history == nil && (w.historyErr == nil || errors.Is(w.historyErr, history.ErrBusy)) {
		w.history, w.historyErr = history.OpenWithin(ctx, w.State.History(), w.options.Warnings.patience())
		if w.historyErr == nil {
			w.history.ScrubWith(w.options.Secrets.Scrub)
		}
	}
	return w.history, w.historyErr
}

// Destinations returns the targets, which the first call opens. Those that cannot be opened are
// left out, and the error says why.
func (w *Workspace) Destinations(ctx context.Context) ([]targets.Destination, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.destsOpen {
		w.dests, w.destsErr = w.openTargets(ctx)
		w.destsOpen = true
	}
	return w.dests, w.destsErr
}

func (w *Workspace) openTargets(ctx context.Context) ([]targets.Destination, error) {
	owner, err := w.State.Owner()
	if err != nil {
		w.options.Warnings.Add("this run has a name of its own in the locks of targets: %v", err)
	}
	var dests []targets.Destination
	var errs []error
	for _, t := range w.Config.Targets {
		env := targets.Env{
			State: w.State.Target(t.Name), Owner: owner, Keep: w.Config.KeptPaths(), Grace: w.gracePolicy(), Getenv: w.options.Getenv, Secret: w.options.Secrets.Add,
			Log: w.options.Log.With("target", t.Name),
		}
		kind, _ := w.options.Kinds.Find(t.Type) // the config has known kinds only
		target, err := kind.Open(ctx, env, t.Decode)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.Name, err))
			continue
		}
		dests = append(dests, targets.Destination{Name: t.Name, Kind: kind, Place: placeOf(kind, t), Origin: t.Origin.URL, Target: target})
	}
	return dests, errors.Join(errs...)
}

// gracePolicy is the config's, without what this run purges.
func (w *Workspace) gracePolicy() *grace.Policy {
	p := w.Config.GracePolicy()
	if p != nil {
		p.Never = w.erased
	}
	return p
}

// placeOf names the place that a target writes to, "" where that cannot be told.
func placeOf(kind targets.Kind, t config.Target) string {
	if kind.Place == nil {
		return ""
	}
	place, err := kind.Place(t.Decode)
	if err != nil {
		return ""
	}
	return kind.Name + " " + place.ID
}

// Origins lists the live origins that the config names.
func (w *Workspace) Origins() []origin.Endpoint {
	var all []origin.Endpoint
	for _, o := range originsOf(w.Config) {
		c := w.Config.CheckFor(o.Origin)
		all = append(all, origin.Endpoint{
			Name: o.Name, URL: o.URL,
			Style: site.URLStyle{CleanURLs: o.CleanURLs, NoIndex: !o.ServesIndex()},
			Front: o.Front, CDN: o.CDN.On() || len(o.Purge) > 0,
			Cache: cacheTraits(o.Origin),
			Options: origin.Options{
				Concurrency: c.Concurrency, Rate: c.Rate, Pace: w.paces[o.Name], Uniques: w.uniques[o.Name], Timeout: c.Timeout, Confirm: c.Confirm, Headers: c.Headers,
				Address: o.Address,
			},
		})
	}
	return all
}

// Line tells a person one thing.
func (w *Workspace) Line(format string, args ...any) { w.options.Events.Line(format, args...) }

// ownFiles lists the paths that targets of the configured kinds add to a site by themselves and
// keep: no publish waits for them to be gone.
func (w *Workspace) ownFiles() []string {
	var paths []string
	for _, t := range w.Config.Targets {
		kind, _ := w.options.Kinds.Find(t.Type)
		paths = append(paths, kind.OwnFiles...)
	}
	return paths
}

// beacon returns the beacon's manifest path.
func (w *Workspace) beacon() string { return strings.TrimPrefix(w.Config.Site.Beacon, "/") }

// maxConfig bounds a config of which a fingerprint is taken, in bytes.
const maxConfig = 16 << 20

// fingerprint changes with the config, "" where it cannot be read.
func (w *Workspace) fingerprint() string {
	text, err := regular.ReadFile(w.Config.File, maxConfig)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
