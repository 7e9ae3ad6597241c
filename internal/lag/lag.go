// Package lag holds what was learnt of how long each origin takes from the start of a commit until
// all of it was seen live: the samples of the last publishes, as a record that targets keep, and what
// can be expected by them. The record has the releases that are staged, too.
package lag

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"mirror/internal/staged"
	"mirror/site"
)

// Bounds of a record, which may come from anybody who can write to a target.
const (
	MaxRecord    = 64 << 10 // bytes
	maxPublishes = 15       // the median of so many is not moved by an outage
	maxOrigins   = 100      // of one publish
	ahead        = time.Hour
)

// How many samples an expectation needs, and how many of the latest ones it rests on: an origin that has
// become slower for good is known to be so after four publishes.
const (
	enough = 2
	recent = 5
)

// Key names an origin for all publishers: by the place that its target writes to and by its URL, which
// may hold secrets and cannot be read from the key.
func Key(place, url string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", place, url))
	return hex.EncodeToString(sum[:8])
}

// Publish is what one publish saw.
type Publish struct {
	At      time.Time        `json:"at"` // when it ended
	Release site.ID          `json:"release"`
	Lags    map[string]int64 `json:"lags_ms"` // by Key, in milliseconds
}

// Record are the last publishes, the latest first.
type Record struct {
	Version   int       `json:"version"`
	Publishes []Publish `json:"publishes"`
	// Staged are the releases that are staged to go live later.
	Staged []staged.Release `json:"staged,omitempty"`
}

const version = 1

// Decode reads a record as it was at a time. What is not one gives an error, and what cannot be true is left
// out.
func Decode(text []byte, now time.Time) (Record, error) {
	if len(text) > MaxRecord {
		return Record{}, fmt.Errorf("the record of lags has more than %d bytes", MaxRecord)
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("the record of lags: %w", err)
	}
	if r.Version != version {
		return Record{}, fmt.Errorf("the record of lags has the version %d, and only %d is known", r.Version, version)
	}
	r.Publishes = slices.DeleteFunc(r.Publishes, func(p Publish) bool { return p.At.After(now.Add(ahead)) || len(p.Lags) > maxOrigins })
	r.Staged = staged.Valid(r.Staged, now)
	for _, p := range r.Publishes {
		maps.DeleteFunc(p.Lags, func(_ string, ms int64) bool { return ms < 0 || ms > (24*time.Hour).Milliseconds() })
	}
	return Merge(r), nil
}

// Encode writes the record.
func (r Record) Encode() ([]byte, error) {
	r.Version = version
	return json.Marshal(r)
}

// Merge is what several records hold together, as far as one record goes.
func Merge(records ...Record) Record {
	var all []Publish
	var waiting []staged.Release
	for _, r := range records {
		all = append(all, r.Publishes...)
		waiting = staged.Merge(waiting, r.Staged)
	}
	slices.SortStableFunc(all, func(a, b Publish) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Release, b.Release)) })
	all = slices.CompactFunc(all, func(a, b Publish) bool { return a.At.Equal(b.At) && a.Release == b.Release })
	return Record{Version: version, Publishes: all[:min(len(all), maxPublishes)], Staged: waiting}
}

// Samples lists the lags of an origin in milliseconds of time, the latest first.
func (r Record) Samples(key string) []time.Duration {
	var all []time.Duration
	for _, p := range r.Publishes {
		if ms, ok := p.Lags[key]; ok {
			all = append(all, time.Duration(ms)*time.Millisecond)
		}
	}
	return all
}

// Expected is what is to be expected of an origin.
type Expected struct {
	Lag    time.Duration // the lower quartile
	Spread time.Duration // the median distance from it
}

// Expect says what samples, the latest first, tell of an origin. It reports false where they are too
// few: nothing rests on a single one. What goes wrong makes a lag longer and seldom shorter, so that the
// small samples tell more of an origin than the large ones.
func Expect(samples []time.Duration) (Expected, bool) {
	if len(samples) < enough {
		return Expected{}, false
	}
	samples = samples[:min(len(samples), recent)]
	e := Expected{Lag: quantile(samples, 4)}
	distances := make([]time.Duration, len(samples))
	for i, s := range samples {
		distances[i] = (s - e.Lag).Abs()
	}
	e.Spread = quantile(distances, 2)
	return e, true
}

// quantile is the value that one in so many of all is smaller than; between two the smaller.
func quantile(all []time.Duration, one int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)/one]
}

// settled is how many publishes a record has from which on only news are added.
const settled = 5

// Tells reports whether a publish tells a record something: the record has few, or has or gets another
// lag than expected. What ends a row of such lags is recorded too: else the record would come to hold
// nothing but exceptions.
func (r Record) Tells(p Publish) bool {
	for key, ms := range p.Lags {
		samples := r.Samples(key)
		e, known := Expect(samples)
		if !known || len(samples) < settled || e.unlike(time.Duration(ms)*time.Millisecond) || e.unlike(samples[0]) {
			return true
		}
	}
	return false
}

// unlike reports whether a lag is another one than expected.
func (e Expected) unlike(lag time.Duration) bool {
	return (lag - e.Lag).Abs() > max(50*time.Millisecond, e.Lag/10)
}
