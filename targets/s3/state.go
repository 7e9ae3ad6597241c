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

	// Past lists what was live before Release, the latest first, as far as it is remembered.
	Past []site.ID `json:"past,omitempty"`

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

// maxRemembered bounds state.Past.
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
	return slices.DeleteFunc(append(all, s.Past...), func(id site.ID) bool { return id == site.None })
}

// pastAfter is what the state that comes next and shows a release is to remember.
func (h held) pastAfter(id site.ID) []site.ID {
	var past []site.ID
	if h.none() {
		return nil
	}
	for _, earlier := range append([]site.ID{h.Release}, h.Past...) {
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
func (t *Target) readState(ctx context.Context) (held, error) {
	o, raw, err := t.read(ctx, statePath)
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
			t.prefix+statePath, err)
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
func (t *Target) writeState(ctx context.Context, old held, s *state) (held, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return held{}, fmt.Errorf("encode the state: %w", err)
	}
	return t.writeRaw(ctx, old, raw)
}

func (t *Target) writeRaw(ctx context.Context, old held, raw []byte) (held, error) {
	s, err := decodeState(raw)
	if err != nil {
		return held{}, fmt.Errorf("state to write: %w", err)
	}
	honoured, err := t.honoursConditions(ctx)
	if err != nil {
		return held{}, err
	}
	c := condition{match: old.etag, none: old.none()}
	if !honoured {
		// The service cannot compare: a writer between this read and the write is lost.
		now, err := t.readState(ctx)
		if err != nil {
			return held{}, err
		}
		if !bytes.Equal(now.raw, old.raw) {
			return held{}, conflict(now)
		}
		c = condition{}
	}
	etag, err := t.put(ctx, statePath, raw, headers{Type: "application/json", Cache: "no-store"}, c)
	if isUnmet(err) {
		return t.afterUnmet(ctx, raw)
	}
	return held{state: s, etag: etag, raw: raw}, err
}

// afterUnmet tells a lost race from a write of ours whose answer was lost and that was
// sent again.
func (t *Target) afterUnmet(ctx context.Context, raw []byte) (held, error) {
	now, err := t.readState(ctx)
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
func (t *Target) honoursConditions(ctx context.Context) (bool, error) {
	t.mu.Lock()
	known := t.conditional
	t.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	honoured := true
	for _, c := range []condition{{}, {none: true}, {match: `"00000000000000000000000000000000"`}} {
		_, err := t.put(ctx, probePath, []byte("mirror\n"), staged, c)
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
		t.log.Warn("the service has no conditional writes: two publishers at the very same moment would not notice each other")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conditional = &honoured
	return honoured, nil
}
