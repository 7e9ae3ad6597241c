package s3

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
)

// phase says whether a state is at rest.
type phase string

const (
	live       phase = "live"
	committing phase = "committing"
)

// state is the document that says what is live. Every write of it is a compare-and-swap.
type state struct {
	Version  int      `json:"version"`
	Phase    phase    `json:"phase"`
	Revision string   `json:"revision"`          // Live's handle; new with every state
	Release  site.ID  `json:"release,omitempty"` // what is live; while committing, what was
	Beacons  []string `json:"beacons,omitempty"` // paths that are no part of a release
	Records  []string `json:"records,omitempty"`

	// Previous lists what was live before Release, the latest first, as far as it is remembered.
	Previous []site.ID `json:"past,omitempty"`

	// The swap that led here or, while committing, that is under way, and its change.
	From   liveRef `json:"from"`
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

// lived lists what is and was live, the latest first; while a commit is under way, what it
// leads to comes first.
func (s *state) lived() []site.ID {
	if s == nil {
		return nil
	}
	var all []site.ID
	if s.Phase == committing {
		all = append(all, s.To)
	}
	all = append(all, s.Release)
	return slices.DeleteFunc(append(all, s.Previous...), func(id site.ID) bool { return id == site.None })
}

// pastAfter is what the state that comes next and shows a release is to remember.
func (h held) pastAfter(id site.ID) []site.ID {
	var past []site.ID
	if h.none() {
		return nil
	}
	for _, earlier := range append([]site.ID{h.Release}, h.Previous...) {
		if earlier != site.None && earlier != id && !slices.Contains(past, earlier) {
			past = append(past, earlier)
		}
	}
	return past[:min(len(past), maxRemembered)]
}

// liveRef is targets.Live in JSON.
type liveRef struct {
	Release  site.ID `json:"release,omitempty"`
	Revision string  `json:"revision,omitempty"`
}

// held is a state document as it was read.
type held struct {
	*state // nil where there is none
	etag   string
	raw    []byte
	age    time.Duration // by the service's clock, since it was written
}

func (h held) none() bool { return h.state == nil }

// lease is how long a commit that was not renewed keeps others out.
const lease = 15 * time.Second

// readState reads the state document.
func (d *documents) readState(ctx context.Context) (held, error) {
	o, raw, err := d.read(ctx, statePath)
	if isMissing(err) {
		return held{}, nil
	}
	if err != nil {
		return held{}, err
	}
	s, err := decodeState(raw)
	if err == nil && s == nil {
		err = errors.New("it is empty")
	}
	if err != nil {
		return held{}, fmt.Errorf("%q is not a state that this version of mirror wrote: %w (hint: update mirror, or delete the object to begin anew)",
			d.prefix+statePath, err)
	}
	return held{state: s, etag: o.ETag, raw: raw, age: o.Seen.Sub(o.Modified)}, nil
}

// decodeState reads a state document, nil where there is none.
func decodeState(raw []byte) (*state, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var s state
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	if s.Version != version || s.Revision == "" {
		return nil, fmt.Errorf("version %d, revision %q", s.Version, s.Revision)
	}
	return &s, nil
}

// writeState replaces the state that was read, or gives ErrConflict.
func (d *documents) writeState(ctx context.Context, old held, s *state) (held, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return held{}, fmt.Errorf("encode the state: %w", err)
	}
	return d.writeRaw(ctx, old, raw)
}

func (d *documents) writeRaw(ctx context.Context, old held, raw []byte) (held, error) {
	s, err := decodeState(raw)
	if err != nil {
		return held{}, fmt.Errorf("state to write: %w", err)
	}
	honoured, err := d.honoursConditions(ctx)
	if err != nil {
		return held{}, err
	}
	c := condition{ifMatch: old.etag, ifNoneMatch: old.none()}
	if !honoured {
		// The service cannot compare: a writer between this read and the write is lost.
		now, err := d.readState(ctx)
		if err != nil {
			return held{}, err
		}
		if !bytes.Equal(now.raw, old.raw) {
			return held{}, conflict(now)
		}
		c = condition{}
	}
	etag, err := d.put(ctx, statePath, raw, headers{Type: "application/json", Cache: "no-store"}, c)
	if isUnmet(err) {
		return d.afterUnmet(ctx, raw)
	}
	return held{state: s, etag: etag, raw: raw}, err
}

// afterUnmet tells a lost race from a write of ours whose answer was lost and that was
// sent again.
func (d *documents) afterUnmet(ctx context.Context, raw []byte) (held, error) {
	now, err := d.readState(ctx)
	if err != nil {
		return held{}, err
	}
	if !bytes.Equal(now.raw, raw) {
		return held{}, conflict(now)
	}
	return now, nil
}

// conflict says who was there in between.
func conflict(now held) error {
	switch {
	case now.none():
		return fmt.Errorf("%w: nothing of ours is live", targets.ErrConflict)
	case now.Phase == committing:
		return fmt.Errorf("%w: %s is committing release %s, last heard of %s ago (hint: wait for it, or until it is silent for %s)",
			targets.ErrConflict, now.Owner, now.To.Short(), now.age.Round(time.Second), lease)
	}
	return fmt.Errorf("%w: release %s is live", targets.ErrConflict, now.Release.Short())
}

// honoursConditions finds out, once, whether the service refuses a conditional write
// whose condition does not hold.
func (d *documents) honoursConditions(ctx context.Context) (bool, error) {
	d.mu.Lock()
	known := d.conditional
	d.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	honoured := true
	for _, c := range []condition{{}, {ifNoneMatch: true}, {ifMatch: `"00000000000000000000000000000000"`}} {
		_, err := d.put(ctx, probePath, []byte("mirror\n"), staged, c)
		unconditional := c == condition{}
		switch {
		case err == nil:
			honoured = honoured && unconditional
		case !unconditional && status(err) == http.StatusNotImplemented:
			honoured = false
		case unconditional || !isUnmet(err):
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

func (h held) records() []string {
	if h.none() {
		return nil
	}
	return h.Records
}

// beacons are the paths that are no part of what is compared.
func (h held) beacons(next string) []string {
	var out []string
	if !h.none() {
		out = append(out, h.Beacons...)
	}
	if next != "" {
		out = append(out, next)
	}
	return out
}

// base is the release with whose document a new one shares most.
func (h held) base() site.ID {
	switch {
	case h.none():
		return site.None
	case h.Phase == committing && !h.Undo:
		return h.To
	}
	return h.Release
}
