// Package targettest is the suite that every target passes: each sentence of the
// contract in package targets, tried on a real place, and every write broken two ways.
package targettest

import (
	"net/http"
	"testing"
	"time"

	"mirror/targets"
	"mirror/targets/grace"
)

// Fixture is one fresh, empty place and the ways to it that the suite needs.
type Fixture struct {
	// Kind is the kind of target that the place is of: its traits are held to.
	Kind targets.Kind
	// Open gives a new handle on the place, as another process on another machine
	// would: with no local state. Transport is for HTTP, and may be nil.
	Open func(t *testing.T, transport http.RoundTripper) targets.Target
	// Keeping gives a new handle that keeps paths, as Open does. Nil where the kind cannot.
	Keeping func(t *testing.T, keep targets.Keep) targets.Target
	// Gracing gives a new handle that keeps files of earlier releases, as Open does. Nil where the kind has no
	// targets.Gracer.
	Gracing func(t *testing.T, policy *grace.Policy) targets.Target
	// Read gives the bytes live at a path (a manifest path), as a reader of the
	// origin would meet them, or an error that wraps fs.ErrNotExist.
	Read func(path string) ([]byte, error)
	// Holds searches all that the place stores, what visitors do not see included, for a text and returns where it
	// is, "" for nowhere. It may be nil.
	Holds func(t *testing.T, text string) string
	// Put replaces, adds or (content nil) removes live files behind the target's back,
	// as a person with the place's own tools would.
	Put func(t *testing.T, files map[string][]byte)
	// Kept are paths that the target adds or keeps of its own (.nojekyll).
	Kept []string
	// NoBeaconRecord says that a beacon alone is no record of a publish.
	NoBeaconRecord bool
	// NoPurgeRecord says that the place may not remember which releases were purged.
	NoPurgeRecord bool
	// KeepsAll says that the place lets nothing that was staged be deleted.
	KeepsAll bool
	// Guarded gives a handle of a publisher with that name, whose reservations end when they were not
	// renewed for a lease. Nil where the kind has no targets.Guard.
	Guarded func(t *testing.T, owner string, lease time.Duration, transport http.RoundTripper) targets.Target
	// Silence ends a reservation's renewals, as it is in a process that is stopped. Nil where a
	// reservation lasts as long as its process, or has a method Pause for this.
	Silence func(r targets.Reservation)
	// HTTP says that the target's writes go through Transport, so that faults can be put there.
	HTTP bool
}
