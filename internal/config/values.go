package config

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"mirror/internal/cdn"
)

// Limit is a share of something or a count: "50%" or "120".
type Limit struct {
	Count   int     // where it was given as a count
	Percent float64 // where it was given as a share, 0 to 100
}

// ParseLimit reads a Limit as it is written in the config.
func ParseLimit(text string) (Limit, error) {
	if share, ok := strings.CutSuffix(text, "%"); ok {
		percent, err := strconv.ParseFloat(share, 64)
		if err != nil || math.IsNaN(percent) || percent < 0 || percent > 100 {
			return Limit{}, fmt.Errorf("%q is no percentage from 0%% to 100%%", text)
		}
		return Limit{Percent: percent}, nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 0 {
		return Limit{}, fmt.Errorf("%q is no percentage or count", text)
	}
	return Limit{Count: count}, nil
}

// Of returns how many of total things the limit allows.
func (l Limit) Of(total int) int {
	return l.Count + int(float64(total)*l.Percent/100)
}

// String returns the limit as the config writes it.
func (l Limit) String() string {
	if l.Percent > 0 {
		return strconv.FormatFloat(l.Percent, 'f', -1, 64) + "%"
	}
	return strconv.Itoa(l.Count)
}

// CDN is what the config says of the caches before an origin: "" for none, "true" for any, or the name of a provider.
type CDN string

// ParseCDN reads a CDN as it is written in the config.
func ParseCDN(text string) (CDN, error) {
	if text == "false" {
		return "", nil
	}
	if _, known := cdn.Find(text); !known && text != "true" {
		return "", fmt.Errorf("%q is not true, false or the name of a provider", text)
	}
	return CDN(text), nil
}

// On reports whether there are caches.
func (c CDN) On() bool { return c != "" }

// Provider returns what is known of the caches' provider.
func (c CDN) Provider() (cdn.Provider, bool) { return cdn.Find(string(c)) }

// The modes of an Order.
const (
	OrderAuto     = "auto"     // slow origins first, by their measured lag
	OrderParallel = "parallel" // all at once
	OrderListed   = "listed"   // one after another, as Names lists them
)

// Order is the order in which targets are committed.
type Order struct {
	Mode  string   // OrderAuto, OrderParallel or OrderListed
	Names []string // of every target, with OrderListed
}

// The modes of a GraceMatch.
const (
	GraceHashed = "hashed" // names with a content hash
	GraceAll    = "all"    // every file but pages
	GraceListed = "listed" // what Globs match
)

// GraceMatch says which files of earlier releases stay served.
type GraceMatch struct {
	Mode  string   // GraceHashed, GraceAll or GraceListed
	Globs []string `jsonschema:"format=glob"` // with GraceListed
}

// webURL reads the base URL of a live site. The error says what is wrong with it and
// quotes nothing of it.
func webURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("it cannot be parsed")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("it must begin with http:// or https://")
	case u.User != nil:
		return nil, fmt.Errorf("it must not hold a user name or password")
	case u.Hostname() == "":
		return nil, fmt.Errorf("it names no host")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, fmt.Errorf("it must not have a query")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return nil, fmt.Errorf("it must not have a fragment")
	}
	if !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	return u, nil
}

// Size is a number of bytes: "1GiB", "500MB" or "4096".
type Size int64

// units are those of a Size, the longest names first.
func units() []struct {
	name  string
	bytes float64
} {
	return []struct {
		name  string
		bytes float64
	}{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
		{"k", 1 << 10}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40}, {"B", 1}, {"", 1},
	}
}

// UnmarshalText reads a number with or without a unit.
func (s *Size) UnmarshalText(text []byte) error {
	for _, unit := range units() {
		number, ok := strings.CutSuffix(string(text), unit.name)
		if !ok {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(value >= 0) || value*unit.bytes > 1<<60 {
			break
		}
		*s = Size(value * unit.bytes)
		return nil
	}
	return fmt.Errorf("%q is not a size in bytes (hint: 500MB or 1GiB)", text)
}
