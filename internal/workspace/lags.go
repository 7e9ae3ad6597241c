package workspace

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"mirror/internal/history"
	"mirror/internal/lag"
	"mirror/internal/publish"
	"mirror/internal/staged"
	"mirror/site"
	"mirror/targets"
)

// asking bounds how long a target may take to say, or to keep, what is known of the lags.
const asking = 10 * time.Second

// lagBook is what is known of the origins' lags: by the records that the targets keep, so that a
// machine without a history knows it too, and by the history here.
type lagBook struct {
	w     *Workspace
	dests []targets.Destination
	keys  map[string]string // of the destinations with an origin, by name
	bound time.Duration     // of a lag: what a record says is not trusted further

	here map[string][]time.Duration // what the history here says; set by expect

	mu     sync.Mutex
	record lag.Record
	silent map[string]error // destinations whose record could not be read
}

func (w *Workspace) newLagBook(dests []targets.Destination) *lagBook {
	b := &lagBook{w: w, dests: dests, keys: map[string]string{}, bound: w.Config.Publish.Barrier, silent: map[string]error{}}
	for _, d := range dests {
		if d.Origin != nil && d.Place != "" {
			b.keys[d.Name] = lag.Key(d.Place, d.Origin.String())
		}
	}
	if b.bound <= 0 {
		b.bound = w.Config.Publish.VerifyTimeout
	}
	return b
}

// each calls do for the destinations that keep notes, all at once and each within asking.
func (b *lagBook) each(ctx context.Context, do func(ctx context.Context, name string, notes targets.Notes)) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	var all sync.WaitGroup
	for _, d := range b.dests {
		all.Go(func() {
			if notes, ok := targets.As[targets.Notes](ctx, d.Target); ok {
				do(ctx, d.Name, notes)
			}
		})
	}
	all.Wait()
}

// expect returns the lags that are to be expected, and what they vary by.
func (b *lagBook) expect(ctx context.Context) (lags, spreads map[string]time.Duration) {
	var here map[string][]time.Duration
	err := b.w.remember(ctx, func(h *history.Store) (err error) {
		here, err = h.Lags(ctx)
		return err
	})
	if err != nil {
		b.w.options.Warnings.Add("the history here does not say what the lags of the origins are: %v", err)
	}
	b.read(ctx)
	lags, spreads = map[string]time.Duration{}, map[string]time.Duration{}
	b.here = here
	for name, key := range b.keys {
		e, known := lag.Expect(b.record.Samples(key))
		if !known {
			e, known = lag.Expect(here[name])
		}
		if known {
			lags[name], spreads[name] = min(e.Lag, b.bound), min(e.Spread, b.bound)
		}
	}
	return lags, spreads
}

// slowest is the longest lag that is known of a destination's origin, 0 where none is: of so few samples
// the 99th percentile.
func (b *lagBook) slowest(name string) time.Duration {
	return slices.Max(append(slices.Concat(b.record.Samples(b.keys[name]), b.here[name]), 0))
}

// read merges the records of all targets. A record that cannot be read costs time only.
func (b *lagBook) read(ctx context.Context) {
	b.each(ctx, func(ctx context.Context, name string, notes targets.Notes) {
		r, err := b.readFrom(ctx, name, notes)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.record = lag.Merge(b.record, r)
		if err != nil {
			b.silent[name] = err
			b.w.options.Log.Debug("the record of lags cannot be read", "target", name, "err", err)
		}
	})
}

// readFrom reads the record of one target. One that is not of use is empty.
func (b *lagBook) readFrom(ctx context.Context, name string, notes targets.Notes) (lag.Record, error) {
	text, err := notes.ReadNotes(ctx, lag.MaxRecord)
	if err != nil || text == nil {
		return lag.Record{}, err
	}
	r, err := lag.Decode(text, time.Now())
	if err != nil {
		b.w.options.Log.Warn("the record of lags is not of use and is written anew", "target", name, "err", err)
	}
	return r, nil
}

// learn adds what a publish saw to the targets' records, where it tells them something. What was first
// uploaded, or has no lag, is left out by lagsOf. It returns what could not be written.
func (b *lagBook) learn(ctx context.Context, r *publish.Report) map[string]error {
	var add lag.Record
	saw := lag.Publish{At: time.Now().UTC().Truncate(time.Millisecond), Release: r.Release, Lags: map[string]int64{}}
	for name, took := range lagsOf(r) {
		if key, ok := b.keys[name]; ok {
			saw.Lags[key] = took.Milliseconds()
		}
	}
	if len(saw.Lags) > 0 && b.record.Tells(saw) {
		add.Publishes = []lag.Publish{saw}
	}
	live := []site.ID{r.Release}
	for _, t := range r.Targets { // its publish may have been killed before it could say so
		live = append(live, t.Plan.Live.Release)
	}
	add.Staged = staged.WentLive(b.record.Staged, time.Now(), live...)
	if len(add.Publishes)+len(add.Staged) == 0 {
		return nil
	}
	return b.add(ctx, add)
}

// add adds to the record of each target, which another publisher may have written to since it was read. It
// returns what could not be written.
func (b *lagBook) add(ctx context.Context, add lag.Record) map[string]error {
	failed := map[string]error{}
	b.each(ctx, func(ctx context.Context, name string, notes targets.Notes) {
		if err := b.addTo(ctx, name, notes, add); err != nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			failed[name] = err
		}
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.record = lag.Merge(b.record, add)
	return failed
}

func (b *lagBook) addTo(ctx context.Context, name string, notes targets.Notes, add lag.Record) error {
	b.mu.Lock()
	all, silent := b.record, b.silent[name]
	b.mu.Unlock()
	if silent != nil {
		return nil // what is there would be lost
	}
	now, err := b.readFrom(ctx, name, notes)
	if err != nil {
		return err
	}
	text, err := lag.Merge(all, now, add).Encode()
	if err != nil {
		return err
	}
	return notes.WriteNotes(ctx, text)
}

// warnOf tells of what could not be written.
func warnOf(r *publish.Report, failed map[string]error) {
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		r.Warn("%s does not keep what was learnt of the lags, so that other machines do not know it: %v", name, failed[name])
	}
}

// lagsOf is how long each origin took, from the start of its commit until all of it was
// seen live. Nothing is learnt of a first upload, whose size tells nothing of later ones.
func lagsOf(r *publish.Report) map[string]time.Duration {
	lags := map[string]time.Duration{}
	if r.Window == nil {
		return lags
	}
	for _, o := range r.Window.Origins {
		for _, t := range r.Targets {
			if t.Name == o.Name && t.Rescued.IsZero() && t.Plan.Live.Release != site.None && !t.Committed.IsZero() && !o.Unchanged && len(o.Open) == 0 && !o.AllNew.Before.IsZero() {
				lags[o.Name] = max(0, o.AllNew.Before.Sub(t.Began))
			}
		}
	}
	return lags
}
