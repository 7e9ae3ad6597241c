package reports

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"mirror/diff"
	"mirror/site"
)

// Check is the document of `mirror check`.
type Check struct {
	Schema  string    `json:"schema"` // mirror.check/v1
	Agree   bool      `json:"agree"`
	Alike   bool      `json:"alike"`   // the origins serve the same as each other, whatever the release says
	Release site.ID   `json:"release"` // "" where the origins were compared with each other
	Pages   int       `json:"pages"`
	Started time.Time `json:"started"`
	Elapsed Millis    `json:"elapsed_ms"`
	Origins []Origin  `json:"origins"`
	Drift   []Drift   `json:"drift"`

	Sampled int      `json:"sampled"`           // pages that were looked at; 0 for all
	AtMost  *float64 `json:"at_most,omitempty"` // of a clean sample: the share of pages that drifts, at 95 % confidence
	Notes   []string `json:"notes"`
	Nowhere int      `json:"nowhere"` // of pages: no origin has them, so that they are none of any origin's
	Closed  int      `json:"closed"`  // of pages: every origin wants visitors to log in
	// Unmanaged: the release is a built site that no config has targets for.
	Unmanaged bool `json:"unmanaged,omitempty"`
	Ending
}

// Origin is one origin in a Check.
type Origin struct {
	Name     string            `json:"name"`
	URL      string            `json:"url"`
	State    diff.State        `json:"state"`
	Release  site.ID           `json:"release"`               // the beacon's claim
	Rollback bool              `json:"rolled_back,omitempty"` // the beacon says that Release was put live again in place of a newer one
	Pages    int               `json:"pages"`
	Match    int               `json:"match"`
	Requests int64             `json:"requests"`
	Bytes    int64             `json:"bytes"`
	Elapsed  Millis            `json:"elapsed_ms"`
	Counts   map[diff.Kind]int `json:"counts"` // of what counts
	Error    string            `json:"error"`

	// ErrorTolerated is the rule by which Error does not count, "" where it counts.
	ErrorTolerated string `json:"error_tolerated,omitempty"`

	Tolerated int      `json:"tolerated"` // differences that do not count
	Noise     []string `json:"noise"`     // paths that differ on every request
	Wavered   int      `json:"wavered"`   // Recovered, under its former name
	Recovered int      `json:"recovered"` // pages that were answered otherwise at first, and rightly when asked again
	Trusted   int      `json:"trusted"`   // pages that the origin said had not changed
	Protocol  string   `json:"protocol"`
	TLS       *TLS     `json:"tls,omitempty"` // absent for plain http
	HSTS      string   `json:"hsts"`
	Mixed     int      `json:"mixed_content"` // http:// resources that https pages embed
	// MixedActive of them are active content, which browsers block. MixedPages embed them, as Embeds shows.
	MixedActive int        `json:"mixed_active,omitempty"`
	MixedPages  int        `json:"mixed_pages,omitempty"`
	Embeds      []Embedded `json:"mixed_examples,omitempty"`
	HTTP        *PlainHTTP `json:"http,omitempty"` // the answer at http://; absent where that was not asked
	OwnLinks    int        `json:"own_host_links"` // links to an origin's own host, taken for relative ones

	Limited int `json:"limited,omitzero"` // requests that the origin refused since it limits them, and that were repeated

	Places []Place `json:"places,omitempty"` // what each place saw; absent where one place alone looked
}

// Place is what one place saw of an origin.
type Place struct {
	Name     string            `json:"name"`
	State    diff.State        `json:"state"`
	Pages    int               `json:"pages"`
	Match    int               `json:"match"`
	Counts   map[diff.Kind]int `json:"counts"`
	Requests int64             `json:"requests"`
	Elapsed  Millis            `json:"elapsed_ms"`
	Error    string            `json:"error,omitempty"`
}

// Embedded is one http:// resource that an https page embeds.
type Embedded struct {
	Page    string `json:"page"`
	Element string `json:"element"`
	URL     string `json:"url"`
	Active  bool   `json:"active"`
}

// PlainHTTP is how an https origin answers for its home page at http://.
type PlainHTTP struct {
	Status   int    `json:"status"` // 0 for no answer
	Location string `json:"location,omitempty"`
	Error    string `json:"error,omitempty"`
	Said     string `json:"said"` // in a few words, as in "redirects to https"
}

// TLS is what is known of an origin's certificate and connection.
type TLS struct {
	Version  string     `json:"version"`
	Expires  *time.Time `json:"expires,omitempty"`
	DaysLeft *int       `json:"days_left,omitempty"` // whole ones, below 0 once it has expired
	Names    []string   `json:"names,omitempty"`     // that the certificate is for, ten at most
	Issuer   string     `json:"issuer,omitempty"`
}

// Drift is one difference in a Check.
type Drift struct {
	Origin   string      `json:"origin"`
	Path     string      `json:"path"`
	URL      string      `json:"url"`
	Kind     diff.Kind   `json:"kind"`
	Want     site.Digest `json:"want"`
	Got      site.Digest `json:"got"`
	Status   int         `json:"status"`
	Location string      `json:"location"`
	Release  site.ID     `json:"release"`
	Behind   int         `json:"behind"`
	Detail   string      `json:"detail"`

	Published time.Time `json:"published,omitzero"` // of Release
	Excerpt   string    `json:"excerpt,omitempty"`
	Tolerated string    `json:"tolerated,omitempty"`

	WrongStatus bool `json:"-"` // Kind and Status tell it
	Earlier     bool `json:"-"` // Detail tells it

	Cached bool `json:"cached,omitempty"` // past the caches the origin serves the release

	Pages int `json:"pages,omitempty"` // that the one row with the path "*" stands for; absent for a single page

	// Asked and Answered are the begin of the request and the end of the answer that show it: it had
	// begun by Answered, and was not over at Asked. Of a row for many pages Answered is of the page
	// that was answered first, and Asked of the one that was asked for last.
	Asked    time.Time `json:"asked,omitzero"`
	Answered time.Time `json:"answered,omitzero"`

	// Places see the difference, of LookedFrom places that looked at the origin; absent where one
	// place alone looked.
	Places     []string `json:"places,omitempty"`
	LookedFrom int      `json:"looked_from,omitempty"`
}

// pages is how many pages a row stands for.
func (d Drift) pages() int { return max(1, d.Pages) }

// pagesOf counts the pages of rows.
func pagesOf(rows []Drift) (n int) {
	for _, d := range rows {
		n += d.pages()
	}
	return n
}

// CheckOf makes the document of a verdict.
func CheckOf(v diff.Verdict) Check {
	c := Check{
		Schema: "mirror.check/v1", Agree: v.Agree(), Alike: v.Alike(), Release: v.Release, Pages: v.Pages,
		Started: v.Started, Elapsed: Millis(v.Elapsed), Origins: []Origin{}, Drift: []Drift{},
		Notes: append(append([]string{}, v.Notes...), diff.HTTPSNotes(v.Origins)...), Nowhere: v.Nowhere, Closed: v.Closed, Unmanaged: v.Unmanaged,
	}
	for _, o := range v.Origins {
		c.Origins = append(c.Origins, OriginOf(o.Summary(), v.Started))
		for _, d := range o.Differences {
			c.Drift = append(c.Drift, Drift(d))
		}
	}
	if v.Sampled > 0 && v.Sampled < v.Pages {
		c.Sampled = v.Sampled
		c.AtMost = c.bound()
	}
	return c
}

// OriginOf makes what every document says of an origin that was checked at an instant.
func OriginOf(o diff.OriginState, at time.Time) Origin {
	doc := Origin{
		Name: o.Name, URL: o.URL, State: o.State, Release: o.Release, Rollback: o.RolledBack, Pages: o.Pages, Match: o.Match,
		Requests: o.Requests, Bytes: o.Bytes, Elapsed: Millis(o.Elapsed), Counts: clonedCounts(o.Counts),
		Error: o.Err, ErrorTolerated: o.ErrTolerated, Tolerated: o.Tolerated,
		Noise: append([]string{}, o.Noise...), Wavered: o.Recovered, Recovered: o.Recovered, Trusted: o.Trusted,
		Protocol: o.Facts.Protocol, TLS: tlsOf(o.Facts, at), HSTS: o.Facts.HSTS, Mixed: o.Facts.Mixed, OwnLinks: o.Facts.Hosts, Limited: o.Facts.Limited,
		MixedActive: o.Facts.MixedActive, MixedPages: o.Facts.MixedPages,
		Places: placesOf(o.Places),
	}
	for _, r := range o.Facts.MixedExamples {
		doc.Embeds = append(doc.Embeds, Embedded(r))
	}
	if p := o.Facts.Plain; p != nil {
		doc.HTTP = &PlainHTTP{p.Status, p.Location, p.Err, p.Said(o.URL)}
	}
	return doc
}

func placesOf(states []diff.PlaceState) []Place {
	var all []Place
	for _, p := range states {
		all = append(all, Place{p.Name, p.State, p.Pages, p.Match, clonedCounts(p.Counts), p.Requests, Millis(p.Elapsed), p.Err})
	}
	return all
}

// clonedCounts is a copy that JSON shows as {} where it is empty.
func clonedCounts(counts map[diff.Kind]int) map[diff.Kind]int {
	clone := map[diff.Kind]int{}
	maps.Copy(clone, counts)
	return clone
}

func tlsOf(f diff.Facts, at time.Time) *TLS {
	if f.TLS == "" && f.Expires.IsZero() && len(f.Names) == 0 && f.Issuer == "" {
		return nil
	}
	t := CertificateOf(f.Expires, at)
	if t == nil {
		t = &TLS{}
	}
	t.Version, t.Names, t.Issuer = f.TLS, f.Names, f.Issuer
	return t
}

// CertificateOf tells how long a certificate holds at an instant; nil for none.
func CertificateOf(expires, at time.Time) *TLS {
	if expires.IsZero() {
		return nil
	}
	days := int(math.Floor(expires.Sub(at).Hours() / 24))
	return &TLS{Expires: &expires, DaysLeft: &days}
}

// bound is the share of pages that drifts at most, with 95 % confidence, where none of the
// sampled ones does: 3/n (Hanley and Lippman-Hand 1983). It is nil where one does or where
// not all could be judged.
func (c Check) bound() *float64 {
	if !c.Agree || len(c.Drift)+len(c.unseen()) > 0 {
		return nil
	}
	share := min(1, 3/float64(max(1, c.compared())))
	return &share
}

// compared is how many pages were.
func (c Check) compared() int { return max(0, cmp.Or(c.Sampled, c.Pages)-c.Nowhere-c.Closed) }

// counted lists the differences that count.
func (c Check) counted() []Drift {
	return slices.DeleteFunc(slices.Clone(c.Drift), func(d Drift) bool { return d.Tolerated != "" })
}

// passed lists the differences that are tolerated.
func (c Check) passed() []Drift {
	return slices.DeleteFunc(slices.Clone(c.Drift), func(d Drift) bool { return d.Tolerated == "" })
}

// unseen lists the origins that could not be seen at all, as differences with the path "*".
func (c Check) unseen() []Drift {
	var rows []Drift
	for _, o := range c.Origins {
		if o.Error != "" {
			rows = append(rows, Drift{Origin: o.Name, Path: "*", URL: o.URL, Kind: diff.Unreachable, Detail: o.Error, Tolerated: o.ErrorTolerated, Pages: o.Pages})
		}
	}
	return rows
}

// findings lists all: what counts, then what is tolerated.
func (c Check) findings() []Drift {
	all := slices.Concat(c.unseen(), c.Drift)
	slices.SortStableFunc(all, func(a, b Drift) int { return cmp.Compare(min(len(a.Tolerated), 1), min(len(b.Tolerated), 1)) })
	return all
}
