// Package targets is the contract between a publish and a place that holds a site:
// first stage everything without a visible effect, then commit with one small step.
// Each kind of place is a package below; targettest is the suite that all of them pass.
package targets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
	"mirror/targets/grace"
)

var (
	// ErrNotStaged is Commit's answer when the target does not hold all of the release.
	ErrNotStaged = errors.New("release is not staged")
	// ErrConflict is Commit's answer when something else is live than the plan saw:
	// another publisher was there in between.
	ErrConflict = errors.New("the live release is not the expected one")
	// ErrReserved is Reserve's answer while another publisher holds the place.
	ErrReserved = errors.New("another publisher has reserved the place")
	// ErrUnreservable is Reserve's answer where the service lets nothing be stored for it.
	ErrUnreservable = errors.New("the place cannot be reserved")
	// ErrNotHeld is a Restorer's answer for a release that it does not hold whole.
	ErrNotHeld = errors.New("the release is not held here")
)

// Live is what a target serves now.
type Live struct {
	// Release is the release that is live, None where the content is not ours.
	Release site.ID
	// Revision is the target's own name for the live state (commit, ETag, digest):
	// the handle for compare-and-swap, set also where the content is not ours,
	// "" only where nothing is there at all. It is opaque.
	Revision string
}

// Swap is one commit: To becomes live in place of From.
type Swap struct {
	From Live
	To   site.ID
}

// Plan is what a publish of a release would do to a target.
type Plan struct {
	Live    Live         // what is live now: the From of a later Swap
	Changes diff.Changes // what separates the stored files from the release's
	Bytes   int64        // content of the added and changed files
	// Metadata says, for people, what differs at the paths of Changes.Metadata: `cache-control: none →
	// max-age=60`. Paths of which nothing more is known are left out.
	Metadata map[string]string
	// Foreign is what a commit would take away although no publish ever put it there: files,
	// or the whole image that a tag names. It is empty where the target holds a record of a
	// release that was live there, whatever others have changed since, and where nothing is lost.
	// Foreign files are in Changes.Delete too.
	Foreign []string
	// Kept are the files beside the release's that stay whatever the release has, in path
	// order: those that Env.Keep names, and those that the kind of target keeps or adds by
	// itself. They are no part of Changes, and ReadBack leaves them out.
	Kept []string
	// Grace lists the files of earlier releases that stay served beside the release. They are in Kept too.
	Grace grace.List
	// Warnings say, for people, which limits of the service the release would meet.
	Warnings []string
	// Sequence is that of the beacon which is live, 0 where there is none or it tells none.
	Sequence int64
}

// StaysInGrace notes the files of earlier releases that stay: they are not deleted.
func (p *Plan) StaysInGrace(l grace.List) {
	p.Grace = l
	if len(l) == 0 {
		return
	}
	p.Changes.Delete = slices.DeleteFunc(slices.Clone(p.Changes.Delete), l.Has)
	p.Kept = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.Kept, l.Paths()))))
}

// CountBytes sums up the content of the added and changed files, which m lists.
func (p *Plan) CountBytes(m site.Manifest) {
	p.Bytes = 0
	for _, path := range slices.Concat(p.Changes.Add, p.Changes.Change) {
		f, _ := m.Find(path)
		p.Bytes += f.Size
	}
}

// Progress hears how far a Stage has come. Its methods may be called from several
// goroutines at once.
type Progress interface {
	// Expect says how much this Stage is going to send; a later call replaces an earlier one.
	Expect(files int, bytes int64)
	// Sent says what was sent since the last call: files of the site, and bytes on
	// the wire (after compression, where the target compresses).
	Sent(files int, bytes int64)
}

// Planner compares what a target stores with a release, as cheaply as it can be done
// without trusting what cannot be trusted: sizes and times alone decide nothing.
type Planner interface {
	// Plan changes nothing. A release that the target cannot hold gives a *RefusedError.
	Plan(ctx context.Context, rel *site.Release) (Plan, error)
}

// Stager is the first phase.
type Stager interface {
	// Stage stores rel so that Commit needs to move no content. What the origin serves of the live release
	// does not change; files that it does not have and whose names have a hash of their content (grace.In) may appear
	// and, where no release and nothing of others is live, all but the home page and the beacon. It may be repeated, resumes what an interrupted call left, and
	// is durable on return. p may be nil.
	Stage(ctx context.Context, rel *site.Release, p Progress) error
}

// Committer is the second phase.
type Committer interface {
	Live(ctx context.Context) (Live, error)
	// Commit makes s.To live in place of s.From. ErrNotStaged and ErrConflict have no
	// effect; nil if s.To is live already with the bytes that were staged. After any
	// other error the outcome is unknown.
	Commit(ctx context.Context, s Swap) error
	// Rollback undoes Commit of the same s, whatever its outcome was: s.From is live
	// again. It has no effect, and gives ErrConflict, when a third state is live.
	Rollback(ctx context.Context, s Swap) error
}

// Guard is a Target that can be reserved for one publish without an effect that visitors see.
// Publishers that meet are told apart here, so that the order of the commits is free. Expiry of a
// reservation goes by the service's clock, or by whether its holder shows signs of life; a
// process that dies leaves one that ends by itself.
type Guard interface {
	// Reserve keeps other publishers from committing until the reservation is released or, where
	// the holder shows no sign of life, its lease has run out. ErrReserved says that another
	// publisher holds the place: the same call may succeed later. ErrConflict says that something
	// else is live than s.From and s.To. After any other error the place may be reserved until the lease
	// has run out. Commit of the same s with the same Target uses the reservation up; it
	// gives ErrConflict where that is lost.
	Reserve(ctx context.Context, s Swap) (Reservation, error)
}

// Reservation is a place that is reserved. It is safe for concurrent use.
type Reservation interface {
	// Assure returns nil when no other publisher can have taken the place over, after a long pause
	// too. The error wraps ErrConflict where one has.
	Assure(ctx context.Context) error
	// Release gives the place free. It has no effect after Commit, and on a place that is lost. It
	// may be called again.
	Release(ctx context.Context) error
}

// Holder tells what is stored.
type Holder interface {
	// ReadBack lists the live files from the bytes stored, never from a manifest of
	// our own. The beacon, the target's own additions and what is kept are left out.
	ReadBack(ctx context.Context) (site.Manifest, error)
}

// Target is a place that can be published to. It is safe for concurrent use.
type Target interface {
	Planner
	Stager
	Committer
	Holder
}

// Pruner is a Target that can drop releases that it holds for a rollback.
type Pruner interface {
	// Prune drops what r lets expire, by the order in which releases went live as the target
	// itself records it, and what interrupted stagings left. What is live, or may be staged by
	// another publisher at the same time, is never touched. It may be repeated; after an error
	// some of it may have been dropped.
	Prune(ctx context.Context, r Retention) error
}

// Prefiller is a Target whose Stage may put content where it is served.
type Prefiller interface {
	// Prefilled lists the paths that Stage has put in place for a swap already: a watch would see no change.
	Prefilled(s Swap) []string
	// StageUnseen is Stage of which visitors see nothing.
	StageUnseen(ctx context.Context, rel *site.Release, p Progress) error
}

// Confirmer is a Target whose service confirms what it stores.
type Confirmer interface {
	// Confirmed reports whether the service has confirmed every write of the Commit that this process has made
	// of s, by a checksum that it compared or by what it says it has stored. It asks nothing.
	Confirmed(s Swap) bool
}

// Gracer is a Target that keeps files of earlier releases served for a while, as Env.Grace says. They
// are no part of Plan.Changes and of ReadBack.
type Gracer interface {
	// Grace lists the files that are served now beside the live release.
	Grace(ctx context.Context) (grace.List, error)
}

// Historian is a Target that remembers what it held before: what a checker without a history
// of its own names stale pages by.
type Historian interface {
	// Past lists what was live, the newest first and at most limit, what is live now
	// included where it can be told. Each has all the paths that it had; the digests are
	// there for the paths in of, and for others only where they cost nothing more. What
	// cannot be read is left out; it is an error only where nothing could be.
	Past(ctx context.Context, limit int, of []string) ([]site.Past, error)
}

// Restorer is a Target from which an earlier release can be had whole: its files, and not only
// the list of them.
type Restorer interface {
	// Restore opens a release that the target holds. The error wraps ErrNotHeld where it does not
	// hold the release, or not all of it. Close what is returned after use.
	Restore(ctx context.Context, id site.ID) (Restored, error)
}

// Restored is a release as a target holds it. Others may have altered the files, so the caller
// compares each with its digest.
type Restored interface {
	// Manifest returns the release's files. Its ID is that of the release.
	Manifest() site.Manifest
	// Copy writes the bytes of a file of the manifest to w. It may be called from several
	// goroutines at once.
	Copy(ctx context.Context, w io.Writer, f site.File) error
	Close() error
}

// Notes is a Target that keeps a small text beside the site, which visitors do not see: what
// publishers on different machines tell each other. Losing it costs time and nothing else, and
// others may have written it.
type Notes interface {
	// ReadNotes returns the text, nil where there is none. More bytes than limit are an error.
	ReadNotes(ctx context.Context, limit int64) ([]byte, error)
	// WriteNotes replaces the text, which has no empty lines. Of two writers at once one wins.
	WriteNotes(ctx context.Context, text []byte) error
}

// Destination is a target under its name, and the origin that serves it.
type Destination struct {
	Name string
	Kind Kind
	// Place names the place that the target writes to, the same for all that publish there. ""
	// where the kind cannot tell.
	Place  string
	Origin *url.URL // nil where the config names none
	Target
}

// Env is what a target may use of the machine that it runs on.
type Env struct {
	// State is a folder of this target's own for caches; losing it costs only time.
	// "" for none.
	State string
	// Owner names this publisher (one state folder, one owner) in locks that others see.
	Owner string
	// Lease is how long a reservation or a commit without a sign of life keeps others out; 0 for the
	// target's own time.
	Lease  time.Duration
	Getenv func(string) string
	// Secret is told of each secret that the target comes to know (a key, a password, a session's
	// token), before the target uses it, so that it is shown nowhere. The source is for people.
	// It may be nil. It may be called from several goroutines at once.
	Secret func(source, value string)
	// Keep names the paths that a publish leaves as they are: it neither deletes them nor
	// counts them.
	Keep Keep
	// Grace says which files of earlier releases a Gracer keeps served; nil for none.
	Grace *grace.Policy
	// Transport carries HTTP requests; nil for the target's own tuned one.
	Transport http.RoundTripper
	Log       *slog.Logger
}

// RefusedError says that a target can never hold a file as it is. Nothing was staged.
type RefusedError struct {
	Path   string // of the file, "" where the release as a whole is refused
	Reason string
	Hint   string // the way out
}

// Error names the file, the reason and the way out.
func (e *RefusedError) Error() string {
	text := e.Reason
	if e.Path != "" {
		text = fmt.Sprintf("%q: %s", e.Path, e.Reason)
	}
	if e.Hint != "" {
		text += " (hint: " + e.Hint + ")"
	}
	return text
}
