package documents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	// PhaseFilling is in the stored document only, as PhaseReserved: a Stage has put content of a release in
	// place that no live release has, or does so.
	PhaseFilling Phase = "filling"
	// PhaseReserved is in the stored document only: the state is at rest and a publisher has
	// reserved the place. ReadState splits it into the state as it is live and the Reservation.
	PhaseReserved Phase = "reserved"
)

// StateType is the Content-Type of the state document.
const StateType = "application/json"

// State is the document that says what is live. Every write of it is a compare-and-swap.
type State struct {
	Version  int      `json:"version"`
	Phase    Phase    `json:"phase"`
	Revision string   `json:"revision"`          // Live's handle; new with every state
	Release  site.ID  `json:"release,omitempty"` // what is live; while committing, what was
	Beacons  []string `json:"beacons,omitempty"` // paths that are no part of a release
	Records  []string `json:"records,omitempty"`
	Grace    string   `json:"grace,omitempty"` // the list of files of earlier releases that are served, "" for none

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

	// While reserved.
	Reservation *Reservation `json:"reservation,omitempty"`
	Vacant      bool         `json:"vacant,omitempty"` // nothing of ours is live
	// Fill is the change whose content a Stage has put in place, or does so; also while another change is
	// committed there. Where the state was read, only one in the phase committing has it.
	Fill string `json:"filled,omitempty"`
}

// Reservation keeps other publishers from committing before its own publisher does.
type Reservation struct {
	To       site.ID `json:"to"` // what is to be committed
	Owner    string  `json:"owner,omitempty"`
	Holder   string  `json:"holder"` // which call of the owner's
	Beat     int     `json:"beat,omitempty"`
	Released bool    `json:"released,omitempty"` // anyone may take over
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
	*State                // nil where nothing of ours is live; never in the phase reserved
	Reserved *Reservation // nil where the place is not reserved
	Fill     string       // of the stored document
	etag     string
	raw      []byte        // as stored; nil where there is no document
	Age      time.Duration // by the service's clock, since it was written
}

// ETag is that of the stored document, "" where there is none.
func (h StateDocument) ETag() string {
	if h.raw == nil {
		return ""
	}
	return h.etag
}

// WithFill is the document to store while a Stage puts content in place, and after it has.
func (h StateDocument) WithFill(change string, r *Reservation) *State {
	h.Fill = change
	return h.WithReservation(r)
}

// None reports whether nothing of ours is live: there is no state document, or one that only
// reserves the place.
func (h StateDocument) None() bool { return h.State == nil }

// HeldBy names the call that commits, or has reserved the place, and has not given it up; "" for
// none.
func (h StateDocument) HeldBy() string {
	switch {
	case h.Reserved != nil:
		if !h.Reserved.Released {
			return h.Reserved.Holder
		}
	case !h.None() && h.Phase == PhaseCommitting && !h.Released:
		return h.Holder
	}
	return ""
}

// OwnerName names whose commit or reservation it is, "" for none.
func (h StateDocument) OwnerName() string {
	switch {
	case h.Reserved != nil:
		return h.Reserved.Owner
	case h.None():
		return ""
	}
	return h.Owner
}

// AtRest is the document without a reservation and without what is put in place, nil where nothing of ours is live.
func (h StateDocument) AtRest() ([]byte, error) {
	switch {
	case h.None():
		return nil, nil
	case h.Phase == PhaseCommitting || h.Reserved == nil && h.Fill == "":
		return h.raw, nil
	}
	return json.Marshal(h.State)
}

// WithReservation is the document to store while the place is reserved; with nil, what is
// stored when it is free again.
func (h StateDocument) WithReservation(r *Reservation) *State {
	if h.None() {
		if r == nil {
			r = &Reservation{Released: true}
		}
		phase := PhaseReserved
		if h.Fill != "" {
			phase = PhaseFilling
		}
		return &State{Version: Version, Phase: phase, Revision: NewNonce(), Reservation: r, Vacant: true, Fill: h.Fill}
	}
	next := *h.State
	if next.Phase != PhaseCommitting {
		next.Fill = h.Fill
	}
	if r != nil {
		next.Phase, next.Reservation = PhaseReserved, r
		if next.Fill != "" {
			next.Phase = PhaseFilling
		}
	}
	return &next
}

// document takes a stored state apart.
func document(s *State, etag string, raw []byte) StateDocument {
	h := StateDocument{State: s, etag: etag, raw: raw}
	if s == nil {
		return h
	}
	h.Fill = s.Fill
	if s.Phase != PhaseReserved && s.Phase != PhaseFilling && (s.Phase != PhaseLive || s.Fill == "") {
		return h
	}
	h.Reserved = s.Reservation
	if h.State = nil; !s.Vacant {
		live := *s
		live.Phase, live.Reservation, live.Fill = PhaseLive, nil, ""
		h.State = &live
	}
	return h
}

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
	h := document(s, o.ETag, raw)
	h.Age = o.Seen.Sub(o.Modified)
	return h, nil
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
	if s.Version != Version || s.Revision == "" || (s.Phase == PhaseReserved || s.Phase == PhaseFilling) && s.Reservation == nil {
		return nil, fmt.Errorf("version %d, revision %q, phase %q", s.Version, s.Revision, s.Phase)
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
	honoured, err := d.honoursConditions(ctx, old.raw != nil)
	if err != nil {
		return StateDocument{}, err
	}
	if !honoured {
		return d.writeCompared(ctx, old, s, raw)
	}
	c := bucket.Condition{IfMatch: old.etag, IfNoneMatch: old.raw == nil}
	etag, err := d.bucket.Put(ctx, StatePath, raw, bucket.Headers{Type: StateType, Cache: "no-store"}, c)
	if bucket.IsUnmet(err) {
		return d.afterUnmet(ctx, raw)
	}
	return document(s, etag, raw), err
}

// writeCompared replaces the state where the service cannot compare. It looks before and after: of two
// publishers that wrote at the same moment the first sees the other's state, and has lost. A writer
// between the two looks of another that reads late may still be overwritten.
func (d *Store) writeCompared(ctx context.Context, old StateDocument, s *State, raw []byte) (StateDocument, error) {
	now, err := d.ReadState(ctx)
	if err != nil {
		return StateDocument{}, err
	}
	if !bytes.Equal(now.raw, old.raw) {
		return StateDocument{}, Conflict(now)
	}
	etag, err := d.bucket.Put(ctx, StatePath, raw, bucket.Headers{Type: StateType, Cache: "no-store"}, bucket.Condition{})
	if err != nil {
		return document(s, etag, raw), err
	}
	return d.afterUnmet(ctx, raw)
}

// afterUnmet reads the state that is stored, which is either the one that was just written or that of
// another publisher. It so tells a lost race from a write whose answer was lost and that was sent again.
func (d *Store) afterUnmet(ctx context.Context, raw []byte) (StateDocument, error) {
	now, err := d.ReadState(ctx)
	if err != nil {
		return StateDocument{}, err
	}
	if !bytes.Equal(now.raw, raw) {
		return StateDocument{}, Conflict(now)
	}
	return now, nil
}

// Conflict says who was there in between.
func Conflict(now StateDocument) error {
	switch {
	case now.HeldBy() != "":
		return fmt.Errorf("%w: %s", targets.ErrConflict, Holder(now))
	case now.None():
		return fmt.Errorf("%w: nothing of ours is live", targets.ErrConflict)
	case now.Phase == PhaseCommitting:
		return fmt.Errorf("%w: an interrupted commit of release %s is to be finished", targets.ErrConflict, now.To.Short())
	}
	return fmt.Errorf("%w: release %s is live", targets.ErrConflict, now.Release.Short())
}

// Holder says, for people, who holds the place.
func Holder(now StateDocument) string {
	does, to := "has reserved the place for", site.None
	if now.Reserved != nil {
		to = now.Reserved.To
	} else if !now.None() {
		does, to = "is committing", now.To
	}
	return fmt.Sprintf("%s %s release %s, last heard of %s ago (hint: wait for it, or until it is silent for %s)",
		now.OwnerName(), does, to.Short(), now.Age.Round(time.Second), Lease)
}
