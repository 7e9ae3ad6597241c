package documents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
)

// Phase says whether a state is at rest.
type Phase string

// The phases.
const (
	PhaseLive       Phase = "live"
	PhaseCommitting Phase = "committing"
)

// State is the document that says what is live. Every write of it is a compare-and-swap.
type State struct {
	Version  int      `json:"version"`
	Phase    Phase    `json:"phase"`
	Revision string   `json:"revision"`          // Live's handle; new with every state
	Release  site.ID  `json:"release,omitempty"` // what is live; while committing, what was
	Beacons  []string `json:"beacons,omitempty"` // paths that are no part of a release
	Records  []string `json:"records,omitempty"`

	// Previous lists what was live before Release, the latest first, as far as it is remembered.
	Previous []site.ID `json:"past,omitempty"`

	// The swap that led here or, while committing, that is under way, and its change.
	From   LiveRef `json:"from"`
	To     site.ID `json:"to"`
	Change string  `json:"change"`

	// While committing.
	Undo     bool   `json:"undo,omitempty"`     // it is rolled back
	Owner    string `json:"owner,omitempty"`    // whose it is
	Holder   string `json:"holder,omitempty"`   // which call of the owner's
	Beat     int    `json:"beat,omitempty"`     // counts renewals
	Released bool   `json:"released,omitempty"` // given up: anyone may take over
}

// maxRemembered bounds state.Previous.
const maxRemembered = 50

// Lived lists what is and was live, the latest first; while a commit is under way, what it
// leads to comes first.
func (s *State) Lived() []site.ID {
	if s == nil {
		return nil
	}
	var all []site.ID
	if s.Phase == PhaseCommitting {
		all = append(all, s.To)
	}
	all = append(all, s.Release)
	return slices.DeleteFunc(append(all, s.Previous...), func(id site.ID) bool { return id == site.None })
}

// PastAfter is what the state that comes next and shows a release is to remember.
func (h StateDocument) PastAfter(id site.ID) []site.ID {
	var past []site.ID
	if h.None() {
		return nil
	}
	for _, earlier := range append([]site.ID{h.Release}, h.Previous...) {
		if earlier != site.None && earlier != id && !slices.Contains(past, earlier) {
			past = append(past, earlier)
		}
	}
	return past[:min(len(past), maxRemembered)]
}

// LiveRef is targets.Live in JSON.
type LiveRef struct {
	Release  site.ID `json:"release,omitempty"`
	Revision string  `json:"revision,omitempty"`
}

// StateDocument is a state document as it was read.
type StateDocument struct {
	*State // nil where there is none
	etag   string
	Raw    []byte
	Age    time.Duration // by the service's clock, since it was written
}

// None reports whether there is no state document.
func (h StateDocument) None() bool { return h.State == nil }

// Lease is how long a commit that was not renewed keeps others out.
const Lease = 15 * time.Second

// ReadState reads the state document.
func (d *Store) ReadState(ctx context.Context) (StateDocument, error) {
	o, raw, err := d.bucket.Read(ctx, StatePath)
	if bucket.IsMissing(err) {
		return StateDocument{}, nil
	}
	if err != nil {
		return StateDocument{}, err
	}
	s, err := DecodeState(raw)
	if err == nil && s == nil {
		err = errors.New("it is empty")
	}
	if err != nil {
		return StateDocument{}, fmt.Errorf("%q is not a state that this version of mirror wrote: %w (hint: update mirror, or delete the object to begin anew)",
			d.bucket.Prefix+StatePath, err)
	}
	return StateDocument{State: s, etag: o.ETag, Raw: raw, Age: o.Seen.Sub(o.Modified)}, nil
}

// DecodeState reads a state document, nil where there is none.
func DecodeState(raw []byte) (*State, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var s State
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	if s.Version != Version || s.Revision == "" {
		return nil, fmt.Errorf("version %d, revision %q", s.Version, s.Revision)
	}
	return &s, nil
}

// WriteState replaces the state that was read, or gives ErrConflict.
func (d *Store) WriteState(ctx context.Context, old StateDocument, s *State) (StateDocument, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return StateDocument{}, fmt.Errorf("encode the state: %w", err)
	}
	return d.WriteRaw(ctx, old, raw)
}

// WriteRaw is WriteState for a document that is encoded already.
func (d *Store) WriteRaw(ctx context.Context, old StateDocument, raw []byte) (StateDocument, error) {
	s, err := DecodeState(raw)
	if err != nil {
		return StateDocument{}, fmt.Errorf("state to write: %w", err)
	}
	honoured, err := d.honoursConditions(ctx)
	if err != nil {
		return StateDocument{}, err
	}
	c := bucket.Condition{IfMatch: old.etag, IfNoneMatch: old.None()}
	if !honoured {
		// The service cannot compare: a writer between this read and the write is lost.
		now, err := d.ReadState(ctx)
		if err != nil {
			return StateDocument{}, err
		}
		if !bytes.Equal(now.Raw, old.Raw) {
			return StateDocument{}, Conflict(now)
		}
		c = bucket.Condition{}
	}
	etag, err := d.bucket.Put(ctx, StatePath, raw, bucket.Headers{Type: "application/json", Cache: "no-store"}, c)
	if bucket.IsUnmet(err) {
		return d.afterUnmet(ctx, raw)
	}
	return StateDocument{State: s, etag: etag, Raw: raw}, err
}

// afterUnmet tells a lost race from a write of ours whose answer was lost and that was
// sent again.
func (d *Store) afterUnmet(ctx context.Context, raw []byte) (StateDocument, error) {
	now, err := d.ReadState(ctx)
	if err != nil {
		return StateDocument{}, err
	}
	if !bytes.Equal(now.Raw, raw) {
		return StateDocument{}, Conflict(now)
	}
	return now, nil
}

// Conflict says who was there in between.
func Conflict(now StateDocument) error {
	switch {
	case now.None():
		return fmt.Errorf("%w: nothing of ours is live", targets.ErrConflict)
	case now.Phase == PhaseCommitting:
		return fmt.Errorf("%w: %s is committing release %s, last heard of %s ago (hint: wait for it, or until it is silent for %s)",
			targets.ErrConflict, now.Owner, now.To.Short(), now.Age.Round(time.Second), Lease)
	}
	return fmt.Errorf("%w: release %s is live", targets.ErrConflict, now.Release.Short())
}

// honoursConditions finds out, once, whether the service refuses a conditional write
// whose condition does not hold.
func (d *Store) honoursConditions(ctx context.Context) (bool, error) {
	d.mu.Lock()
	known := d.conditional
	d.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	honoured := true
	for _, c := range []bucket.Condition{{}, {IfNoneMatch: true}, {IfMatch: `"00000000000000000000000000000000"`}} {
		_, err := d.bucket.Put(ctx, ProbePath, []byte("mirror\n"), bucket.Staged, c)
		unconditional := c == bucket.Condition{}
		switch {
		case err == nil:
			honoured = honoured && unconditional
		case !unconditional && bucket.Status(err) == http.StatusNotImplemented:
			honoured = false
		case unconditional || !bucket.IsUnmet(err):
			return false, err
		}
	}
	if !honoured {
		d.log.Warn("the service has no conditional writes: two publishers at the very same moment would not notice each other")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conditional = &honoured
	return honoured, nil
}

// RecordPaths are the paths of the records of verified objects.
func (h StateDocument) RecordPaths() []string {
	if h.None() {
		return nil
	}
	return h.Records
}

// BeaconPaths are the paths that are no part of what is compared.
func (h StateDocument) BeaconPaths(next string) []string {
	var out []string
	if !h.None() {
		out = append(out, h.Beacons...)
	}
	if next != "" {
		out = append(out, next)
	}
	return out
}

// Base is the release with whose document a new one shares most.
func (h StateDocument) Base() site.ID {
	switch {
	case h.None():
		return site.None
	case h.Phase == PhaseCommitting && !h.Undo:
		return h.To
	}
	return h.Release
}

// LiveBefore is the release that was live before, also while committing.
func (h StateDocument) LiveBefore() site.ID {
	if h.None() {
		return site.None
	}
	return h.Release
}

// PreviousReleases are the releases that were live before that one.
func (h StateDocument) PreviousReleases() []site.ID {
	if h.None() {
		return nil
	}
	return h.Previous
}

// IsLive reports whether the release to commit is the one at rest.
func (h StateDocument) IsLive(s targets.Swap) bool {
	return !h.None() && h.Phase == PhaseLive && h.Release == s.To
}
