package pages

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
)

// Location is where a sitemap is below an origin's base: content systems give parts of it by a query.
type Location struct {
	Path  string // decoded
	Query string // percent-encoded, "" for none
}

// String is the location for people.
func (l Location) String() string {
	if l.Query == "" {
		return l.Path
	}
	return l.Path + "?" + l.Query
}

// ErrNoSitemap says that an origin has no sitemap.
var ErrNoSitemap = errors.New("there is no sitemap")

// Listing bounds a listing of an origin's pages and says what belongs to the origin.
type Listing struct {
	// Bases are all base URLs under which the site is named: links to them are links to the
	// origin's own pages. The origin's own comes by itself.
	Bases []*url.URL
	// Site is the base that pages are below where the sitemap is another origin's; nil for
	// the origin's own.
	Site *url.URL
	// MaxPages bounds how many pages are listed; 0 for the default.
	MaxPages int
	// Seeds are pages whose links a crawl follows beside the home page's.
	Seeds []string
}

// Listed is what was found of an origin's pages.
type Listed struct {
	Paths    []string // decoded, below the origin's base, sorted, each once
	Sitemaps []string // paths of the sitemaps that are there, readable or not, sorted
	Queries  int      // links left out for their query
	Outside  int      // left out since they lead below another base, or cannot be a page's URL
	Notes    []string // what a bound cut off, and what was named and is not there
	// Production is the base URL of the host that most of a sitemap's URLs name, where that is none
	// of the bases; nil for none.
	Production *url.URL
	// Unread joins why sitemaps that are there could not be read: pages that only they name are
	// not in Paths. Each error names the sitemap and, where it is known, the line.
	Unread error
}

func (l *Listed) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(l.Notes, text) {
		l.Notes = append(l.Notes, text)
	}
}

// maxUnread bounds how many sitemaps that cannot be read are named.
const maxUnread = 10

// unread remembers that a sitemap is there and cannot be read.
type unread struct {
	named []error
	more  int
}

func (u *unread) add(at Location, err error) {
	if len(u.named) >= maxUnread {
		u.more++
		return
	}
	u.named = append(u.named, fmt.Errorf("%s: %w", at, err))
}

// err is nil where every sitemap was read.
func (u *unread) err() error {
	switch {
	case len(u.named) == 0:
		return nil
	case u.more > 0:
		return fmt.Errorf("%w; and %d more sitemaps", joined(u.named), u.more)
	}
	return joined(u.named)
}

// joined is errors.Join on one line.
func joined(errs []error) error {
	all := errs[0]
	for _, err := range errs[1:] {
		all = fmt.Errorf("%w; %w", all, err)
	}
	return all
}
