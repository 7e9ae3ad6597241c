package site

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// DefaultBeacon is the path at which an origin says which release it serves.
const DefaultBeacon = ".well-known/mirror.json"

// MaxBeacon is the size in bytes above which a file is not a beacon.
const MaxBeacon = 4 << 10

// Beacon is what an origin says of the release that it serves.
type Beacon struct {
	Release   ID        `json:"release"`
	Published time.Time `json:"published"`
	Files     int       `json:"files"`
	Bytes     int64     `json:"bytes"`
	// Sequence is 1 + the highest that any target knew when the release was published. Newer means
	// higher; 0 in the beacons of old versions of this program.
	Sequence int64 `json:"sequence"`
	Rollback bool  `json:"rollback"` // an earlier release was put live again
}

// Beacon returns the bytes to serve at BeaconPath.
func (r *Release) Beacon() []byte {
	text, err := json.Marshal(Beacon{
		Release: r.ID(), Published: r.Published.UTC().Truncate(time.Second),
		Files: len(r.Manifest), Bytes: cmp.Or(r.bytes, r.Manifest.Bytes()), Sequence: r.Sequence, Rollback: r.Rollback,
	})
	if err != nil {
		panic(err) // the fields are plain
	}
	return append(text, '\n')
}

// ParseBeacon reads what Beacon writes; what names no release is an error.
func ParseBeacon(text []byte) (Beacon, error) {
	var b Beacon
	if err := json.Unmarshal(text, &b); err != nil {
		return Beacon{}, fmt.Errorf("beacon: %w", err)
	}
	if _, err := ParseID(string(b.Release)); err != nil {
		return Beacon{}, fmt.Errorf("beacon: %w", err)
	}
	return b, nil
}
