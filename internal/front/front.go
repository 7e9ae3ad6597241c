// Package front is a reverse proxy that serves one verified release at a time. It learns from the beacons
// of its origins which release is live, moves to it for all visitors at once when enough origins hold it,
// and passes on only bodies whose digest is the one in the release's manifest. The headers of an answer are
// the front's own.
package front

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"mirror/diff"
	"mirror/internal/front/blobs"
	"mirror/internal/front/record"
	"mirror/internal/front/upstream"
	"mirror/internal/origin"
	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets/grace"
)

// Options say what a front serves, and how.
type Options struct {
	Origins []origin.Endpoint
	// Trust returns the manifest of a release that an origin claims. It is asked for releases that do not
	// exist too. Nil has the origins themselves, or Fronts, serve it, at site.SumsPath.
	Trust func(ctx context.Context, id site.ID) (site.Manifest, error)
	// Fronts are other fronts, which serve manifests. No page is taken from them, and their claims do not
	// count.
	Fronts []origin.Endpoint
	// PublishManifest serves the manifests of known releases at site.SumsPath.
	PublishManifest bool
	// Quorum is how many origins must hold a release before visitors get it.
	Quorum int
	// Beacon is the manifest path of the beacon.
	Beacon string
	// NotFound is the page that answers for paths that do not exist; "" for 404.html.
	NotFound string
	// Cookie has browsers remember the sequence of the release, so that a visitor whom another front sends
	// here is not thrown back.
	Cookie bool
	// Behind is for how long a visitor of a front that is behind waits at most, with Cookie; 0 for 1 s.
	Behind time.Duration
	// CleanURLs serves about.html also at /about.
	CleanURLs bool
	// Grace says which files of earlier releases stay served; nil for none.
	Grace *grace.Policy
	// Header returns the value of a response header of a page, "" for none; nil for none at all.
	Header func(path, name string) string
	// Skip reports whether origins may alter a page, so that it cannot show what they hold.
	Skip func(path string) bool

	Dir         string // for the cache, and for what is known after a restart
	Memory      int64  // bytes of contents in memory; 0 for 32 MiB
	Disk        int64  // bytes of contents on disk; 0 for none
	MaxVerified int64  // bytes of the largest body; 0 for 256 MiB
	MaxFiles    int    // files of the largest release; 0 for 1,048,576

	Poll  time.Duration // between two looks at a beacon at rest; 0 for 2 s
	Hurry time.Duration // between two looks in the minute after a change; 0 for 50 ms
	Gone  time.Duration // for how long no origin may hold the release before an older one takes its place; 0 for 30 s

	Log    *slog.Logger // nil for silence
	Events func(Event)  // nil for none; it is called by one goroutine at a time
}

func (o *Options) setDefaults() {
	o.Quorum = max(o.Quorum, 1)
	o.NotFound = cmp.Or(o.NotFound, "404.html")
	o.Memory = cmp.Or(o.Memory, 32<<20)
	o.MaxVerified = cmp.Or(o.MaxVerified, 256<<20)
	o.MaxFiles = cmp.Or(o.MaxFiles, maxFiles)
	o.Poll = cmp.Or(o.Poll, 2*time.Second)
	o.Hurry = cmp.Or(o.Hurry, 50*time.Millisecond)
	o.Gone = cmp.Or(o.Gone, 30*time.Second)
	o.Behind = cmp.Or(o.Behind, behindTime)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Skip == nil {
		o.Skip = func(string) bool { return false }
	}
}

// Front is a front. Its handler is safe for concurrent use.
type Front struct {
	options Options
	store   *blobs.Store
	origins *upstream.Set
	fronts  *upstream.Set
	known   editions
	kept    *record.Keeper // what a restart serves
	flights flights

	fieldsets fieldsets

	current            atomic.Pointer[edition] // what visitors get; nil before the first release
	dark               atomic.Bool             // no origin answers
	looked             atomic.Int64            // when origins were last looked at for a cookie, in nanoseconds since began
	complained, unsaid atomic.Int64            // when it was last logged that a page could not be served, and how often it was not
	hurried            atomic.Int64            // until when beacons are looked at often, in nanoseconds since began
	began              time.Time
	counts             counts

	mu        sync.Mutex // guards what follows
	views     []view
	moved     chan struct{} // closed at the next move
	heldAt    time.Time     // when an origin last held the current release
	since     time.Time     // of the current release
	explained time.Time     // when it was last said why there is none
	watchers  []chan struct{}

	telling  sync.Mutex // held while Events is called
	deciding sync.Mutex // held from the choice of a release until it is served
}

// ErrQuorum says that a quorum can never be reached.
var ErrQuorum = errors.New("the quorum is larger than the number of origins")

// New returns a front that serves what it served before, if that is remembered in its folder. Run makes it
// follow the origins. Close it after use.
func New(o Options) (*Front, error) {
	o.setDefaults()
	if o.Quorum > len(o.Origins) {
		return nil, fmt.Errorf("%w: %d of %d", ErrQuorum, o.Quorum, len(o.Origins))
	}
	store, err := blobs.Open(filepath.Join(o.Dir, "cache"), blobs.Options{Memory: o.Memory, Disk: o.Disk, Trouble: func(err error) {
		o.Log.Warn("the cache cannot be written to: pages that are not in it come from the origins for each visitor", "err", err)
	}})
	if err != nil {
		return nil, fmt.Errorf("the cache of the front: %w", err)
	}
	f := &Front{
		options: o, store: store, origins: upstream.New(o.Origins), fronts: upstream.New(o.Fronts), views: make([]view, len(o.Origins)), moved: make(chan struct{}), began: time.Now(),
	}
	f.kept = record.NewKeeper(f.stateFile())
	f.flights.init()
	f.known.all = map[site.ID]*edition{}
	for range o.Origins {
		f.watchers = append(f.watchers, make(chan struct{}, 1))
	}
	f.origins.Trouble = f.hearTrouble
	f.recall()
	return f, nil
}

// stateFile is where the release that is served is remembered.
func (f *Front) stateFile() string { return filepath.Join(f.options.Dir, "release") }

// graceFile is where the files of earlier releases are remembered that stay served.
func (f *Front) graceFile() string { return filepath.Join(f.options.Dir, "grace.json") }

// recall serves what was served before the restart.
func (f *Front) recall() {
	r, err := record.Read(f.stateFile())
	if err != nil {
		return // the first run, or a file that was damaged: the origins say what is live
	}
	e := f.known.add(newEdition(r.Beacon, r.Manifest))
	if text, err := regular.ReadFile(f.graceFile(), grace.MaxBytes); err == nil {
		if l, err := grace.Decode(text); err == nil {
			e.withGrace(l)
		}
	}
	f.known.pin(e.release)
	f.current.Store(e)
	f.heldAt, f.since = time.Now(), time.Now()
	f.tell(Event{Event: Restored, Release: e.release, Sequence: e.sequence, Files: len(e.manifest)})
}

// Origins names the origins.
func (f *Front) Origins() []string {
	var names []string
	for _, o := range f.origins.Origins {
		names = append(names, o.Name)
	}
	return names
}

// Close waits for what is under way, at most for as long as an origin may take to answer. The handler
// must not be used any more.
func (f *Front) Close() {
	f.flights.end()
	f.origins.Close()
	f.fronts.Close()
	f.store.Close()
}

// serving returns what visitors get now, and a channel that is closed at the next move.
func (f *Front) serving() (*edition, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current.Load(), f.moved
}

// Ready waits until there is a release to serve, or ctx ends.
func (f *Front) Ready(ctx context.Context) {
	for {
		e, moved := f.serving()
		if e != nil {
			return
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

// move serves another edition from now on. The caller must hold mu.
func (f *Front) move(next *edition) {
	f.known.pin(next.release)
	from := f.current.Swap(next)
	f.heldAt, f.since = time.Now(), time.Now()
	close(f.moved)
	f.moved = make(chan struct{})
	f.counts.moves.Add(1)
	event := Event{Event: Moved, Release: next.release, Sequence: next.sequence, Files: len(next.manifest), Rollback: next.rollback}
	if from != nil {
		event.From = from.release
	}
	if at := completed(f.views, next.release); !at.IsZero() {
		event.After = float64(time.Since(at).Microseconds()) / 1000
	}
	go f.tell(event)
}

// hearTrouble hears what an origin did wrong to a visitor's request: the origin is looked at soon.
func (f *Front) hearTrouble(o *upstream.Origin, d diff.Difference) {
	f.counts.wrong.Add(1)
	f.options.Log.Debug("an origin gave no page of the release", "origin", o.Name, "kind", d.Kind, "path", d.Path, "detail", d.Detail)
	for i, other := range f.origins.Origins {
		if other == o {
			f.kick(i)
		}
	}
}

// tell logs an event and passes it on.
func (f *Front) tell(e Event) {
	e.Schema, e.Time = Schema, time.Now().UTC()
	log := f.options.Log
	switch e.Event {
	case Restored:
		log.Info("serving the release of before the restart", "release", e.Release.Short(), "sequence", e.Sequence, "files", e.Files)
	case Moved:
		log.Info("serving a release", "release", e.Release.Short(), "from", e.From.Short(), "sequence", e.Sequence, "files", e.Files, "rollback", e.Rollback)
	case Trouble:
		log.Warn("an origin does not serve the release", "origin", e.Origin, "kind", e.Kind, "path", e.Path, "detail", e.Detail)
	case Waiting:
		log.Warn(e.Detail)
	case Recovered:
		log.Info("an origin serves the release again", "origin", e.Origin)
	case Unproven:
		log.Warn("an origin claims a release that cannot be proved", "origin", e.Origin, "release", e.Release.Short(), "detail", e.Detail)
	}
	if f.options.Events == nil {
		return
	}
	f.telling.Lock()
	defer f.telling.Unlock()
	f.options.Events(e)
}

// kick has an origin looked at soon.
func (f *Front) kick(i int) {
	select {
	case f.watchers[i] <- struct{}{}:
	default:
	}
}
