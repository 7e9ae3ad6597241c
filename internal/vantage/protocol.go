// Package vantage looks at the origins from many places. A coordinator deals the pages of a check to
// agents on other machines, joins what comes back, and names the places that did not answer. What
// carries the messages is package broker; nothing here knows of it.
package vantage

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// The versions of the protocol that this program speaks. A coordinator deals only to agents that share
// one with it, and names the others. Since version 2 agents watch a change, see package windows.
const (
	OldestProtocol = 1
	Protocol       = 2
)

// The kinds of message. A broker delivers replies to whatever subject a client names, so a message says
// itself what it is and whose.
const (
	KindItem   = "item"
	KindResult = "result"
)

// Item is one piece of work: some pages of a release, to be looked at on all origins. It tells an agent
// all that it needs, and nothing of the targets.
type Item struct {
	Kind     string // KindItem
	Protocol int
	Place    string // whose work it is
	Check    string // of which check it is
	Part     int    // of the check, from 0
	Limit    time.Duration

	Release   site.ID
	Beacon    string
	NotFound  string
	Files     []File
	Absent    []string
	OwnFiles  []string
	Normalize []Rule
	Headers   []string
	Learn     bool
	Folders   bool // ask for folders without their slash, too
	Origins   []Origin
}

// File is a file of the release.
type File struct {
	Path   string
	Digest site.Digest
	Size   int64
	Known  bool `json:",omitzero"` // it tells what other answers mean, and is not asked for
}

// Rule is one of check.normalize.
type Rule struct {
	Match  string
	Remove []string
}

// Origin is a site to look at, and how.
type Origin struct {
	Name, URL, Address string
	CleanURLs, NoIndex bool
	CDN                bool
	Cache              origin.CacheTraits `json:",omitzero"`
	Concurrency        int
	Rate               float64 // the agent's share, in requests a second; 0 for no limit
	Uniques            int     `json:",omitzero"` // the agent's share of origin.MostUnique for this item or watch; older coordinators name none
	Timeout            time.Duration
	Confirm            int
}

// Result is what an agent saw.
type Result struct {
	Kind     string // KindResult
	Protocol int
	Place    string
	Check    string
	Part     int
	Origins  []Seen
	Refused  string // why the agent did not look, "" where it did
}

// Seen is the verdict on one origin.
type Seen struct {
	diff.OriginVerdict
	Failure string // OriginVerdict.Err, which JSON has no form for
}

// Hello says that an agent is there. It is sent every HelloEvery.
type Hello struct {
	Oldest, Newest int    // versions of the protocol that it speaks
	Version        string // of the program
	Boot           string // another one after each start of the agent
}

// HelloEvery is how often an agent says that it is there, and Silence after how long without that it
// counts as gone.
const (
	HelloEvery = 2 * time.Second
	Silence    = 3*HelloEvery + time.Second
)

// maxPlace bounds the name of a place: it stands in every table.
const maxPlace = 32

// ValidPlace reports whether a name may be that of a place: it is part of subjects and of file names.
func ValidPlace(name string) error {
	if len(name) > maxPlace || !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`).MatchString(name) {
		return fmt.Errorf("%q is not a valid name of a place (hint: lower-case letters, digits and hyphens, at most %d)", name, maxPlace)
	}
	if name == Here {
		return fmt.Errorf("%q is the name of the coordinator's own place", name)
	}
	return nil
}

// Here is the name of the place where the coordinator runs.
const Here = "here"

// maxMessage bounds, in bytes, a message that is decoded.
const maxMessage = 16 << 20

// errMessage says that a message cannot be read.
var errMessage = errors.New("the message cannot be read")

// Encode returns a message as it is sent.
func Encode(message any) ([]byte, error) {
	text, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, err
	}
	defer w.Close()
	return w.EncodeAll(text, nil), nil
}

// Decode reads a message into one of the types of this package. What is decoded is bounded.
func Decode(data []byte, message any) error {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxMessage), zstd.WithDecoderMaxWindow(maxMessage))
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := r.DecodeAll(data, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	if err := json.Unmarshal(text, message); err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	return nil
}

// EncodeResult returns a result as it is sent, in no more than limit bytes. Differences that do not fit
// are counted by the last one that does.
func EncodeResult(r Result, limit int) ([]byte, error) {
	for {
		data, err := Encode(r)
		if err != nil || len(data) <= limit {
			return data, err
		}
		r.Origins = slices.Clone(r.Origins)
		dropped := false
		for i := range r.Origins {
			dropped = r.Origins[i].halve() || dropped
		}
		if !dropped {
			return nil, fmt.Errorf("%w: %d bytes, at most %d", errMessage, len(data), limit)
		}
	}
}

// halve drops every second difference, and counts it at the one before.
func (s *Seen) halve() bool {
	all := s.Differences
	s.Noise, s.Slowest = nil, nil
	if len(all) < 2 {
		return false
	}
	var kept []diff.Difference
	for i, d := range all {
		if i%2 == 0 {
			kept = append(kept, d)
			continue
		}
		last := &kept[len(kept)-1]
		last.Pages = max(last.Pages, 1) + max(d.Pages, 1)
	}
	s.Differences = kept
	return true
}
