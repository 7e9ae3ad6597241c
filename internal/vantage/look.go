package vantage

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/site"
)

// Pin is an origin that an agent may look at. It is fixed when the agent is enrolled.
type Pin struct {
	URL     string
	Address string `json:",omitempty"` // that is connected to in place of the URL's host
}

// ParsePin reads URL or URL,ADDRESS.
func ParsePin(text string) (Pin, error) {
	address, at, _ := strings.Cut(text, ",")
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return Pin{}, fmt.Errorf("%q is not the URL of an origin (hint: https://host/)", text)
	}
	return Pin{URL: address, Address: at}, nil
}

// String is the pin as ParsePin reads it.
func (p Pin) String() string {
	if p.Address == "" {
		return p.URL
	}
	return p.URL + "," + p.Address
}

// PinsOf lists the pins for origins.
func PinsOf(origins []origin.Endpoint) []Pin {
	var all []Pin
	for _, at := range origins {
		all = append(all, Pin{URL: at.URL.String(), Address: at.Address})
	}
	return all
}

// Looker is what an agent does: it looks at pages of the origins that it is pinned to, and at nothing else.
type Looker struct {
	Pins []Pin
	// Addresses says, by the host of an origin's URL with its port, where this agent connects to instead.
	// It is the agent's own setting, as a line in its hosts file.
	Addresses map[string]string

	mu    sync.Mutex
	paces map[string]*pace // by the origin's pin
}

// pace keeps an agent's share of a rate over all of its items.
type pace struct {
	*origin.Pace
	rate float64
}

// The bounds of what an item may ask of an agent.
const (
	maxConcurrency = 1024
	maxLimit       = time.Hour
	maxTimeout     = 10 * time.Minute
	maxConfirm     = 10
)

// MostOrigins is how many origins an item may name.
const MostOrigins = 256

// Look carries out an item. What cannot be done is in the result.
func (l *Looker) Look(ctx context.Context, item Item) Result {
	result := Result{Kind: KindResult, Protocol: item.Protocol, Place: item.Place, Check: item.Check, Part: item.Part}
	origins, look, err := l.prepare(item)
	if err != nil {
		result.Refused = err.Error()
		return result
	}
	ctx, done := context.WithTimeout(ctx, min(max(item.Limit, time.Second), maxLimit))
	defer done()
	verdict, err := check.Run(ctx, origins, look)
	if err != nil {
		result.Refused = fmt.Sprintf("the part was not done within %s", item.Limit)
		return result
	}
	result.Origins = seenOf(verdict)
	return result
}

func seenOf(v diff.Verdict) []Seen {
	var all []Seen
	for _, o := range v.Origins {
		seen := Seen{OriginVerdict: o}
		if o.Err != nil {
			seen.Failure, seen.Err = o.Err.Error(), nil
		}
		all = append(all, seen)
	}
	return all
}

// errRefused says that an agent may not do what an item asks.
var errRefused = errors.New("the agent refuses")

func (l *Looker) prepare(item Item) ([]origin.Endpoint, check.Options, error) {
	if item.Protocol < OldestProtocol || item.Protocol > Protocol {
		return nil, check.Options{}, fmt.Errorf("%w: the item is of version %d of the protocol, the agent speaks %d to %d", errRefused, item.Protocol, OldestProtocol, Protocol)
	}
	if len(item.Origins) == 0 || len(item.Origins) > MostOrigins {
		return nil, check.Options{}, fmt.Errorf("%w: the item names %d origins", errRefused, len(item.Origins))
	}
	var origins []origin.Endpoint
	for _, o := range item.Origins {
		at, err := l.Endpoint(o)
		if err != nil {
			return nil, check.Options{}, err
		}
		origins = append(origins, at)
	}
	look, err := lookOf(item)
	return origins, look, err
}

// Endpoint is how the agent asks an origin, or an error where the agent may not.
func (l *Looker) Endpoint(o Origin) (origin.Endpoint, error) {
	pin := Pin{URL: o.URL, Address: o.Address}
	if !slices.Contains(l.Pins, pin) {
		return origin.Endpoint{}, fmt.Errorf("%w: %s is not an origin that it was enrolled for (hint: enrol the place again)", errRefused, pin)
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return origin.Endpoint{}, fmt.Errorf("%w: %w", errRefused, err)
	}
	address := o.Address
	if own, ok := l.Addresses[u.Host]; ok {
		address = own
	}
	concurrency := min(max(o.Concurrency, 1), maxConcurrency)
	return origin.Endpoint{
		Name: o.Name, URL: u, Style: site.URLStyle{CleanURLs: o.CleanURLs, NoIndex: o.NoIndex}, CDN: o.CDN, Cache: o.Cache,
		Options: origin.Options{
			Concurrency: concurrency, Rate: o.Rate, Pace: l.pace(pin, o.Rate), Uniques: origin.NewUniques(min(max(o.Uniques, 0), origin.MostUnique)), Timeout: min(max(o.Timeout, time.Second), maxTimeout),
			Confirm: min(max(o.Confirm, 0), maxConfirm), Address: address,
		},
	}, nil
}

// pace returns what keeps the rate of an origin over all items.
func (l *Looker) pace(pin Pin, rate float64) *origin.Pace {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paces == nil {
		l.paces = map[string]*pace{}
	}
	p, ok := l.paces[pin.String()]
	if !ok || p.rate != rate {
		p = &pace{origin.NewPace(max(rate, 0)), rate}
		l.paces[pin.String()] = p
	}
	return p.Pace
}

// lookOf is what a check looks for by an item.
func lookOf(item Item) (check.Options, error) {
	look := check.Options{
		Release: item.Release, BeaconPath: item.Beacon, NotFound: item.NotFound, Absent: item.Absent, OwnFiles: item.OwnFiles,
		Headers: check.Headers{Names: item.Headers}, Learn: item.Learn, NoFolders: !item.Folders, Asked: []string{},
	}
	for _, f := range item.Files {
		look.Manifest = append(look.Manifest, site.File{Path: f.Path, Digest: f.Digest, Size: f.Size})
		if !f.Known {
			look.Asked = append(look.Asked, f.Path)
		}
	}
	if !slices.IsSortedFunc(look.Manifest, func(a, b site.File) int { return strings.Compare(a.Path, b.Path) }) {
		return look, fmt.Errorf("%w: the files of the item are not sorted", errRefused)
	}
	for _, r := range item.Normalize {
		rule := check.Rule{Match: r.Match}
		for _, text := range r.Remove {
			expression, err := regexp.Compile(text)
			if err != nil {
				return look, fmt.Errorf("%w: %w", errRefused, err)
			}
			rule.Remove = append(rule.Remove, expression)
		}
		look.Normalize = append(look.Normalize, rule)
	}
	return look, nil
}
