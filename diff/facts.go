package diff

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Facts is what is worth knowing of how an origin serves, beside what it serves.
type Facts struct {
	Protocol      string          `json:",omitzero"`  // of HTTP, as in "HTTP/2.0"; "" where nothing answered
	TLS           string          `json:",omitzero"`  // version, as in "TLS 1.3"; "" for plain http
	Expires       time.Time       `json:",omitzero"`  // of the certificate; zero for plain http
	Names         []string        `json:",omitempty"` // that the certificate is for, as far as they are kept
	Issuer        string          `json:",omitzero"`  // of the certificate
	HSTS          string          `json:",omitzero"`  // the Strict-Transport-Security header (RFC 6797)
	Mixed         int             `json:",omitzero"`  // http:// resources that https pages embed, counted over all pages
	MixedActive   int             `json:",omitzero"`  // of them, those that browsers block
	MixedPages    int             `json:",omitzero"`  // that embed them
	MixedExamples []MixedResource `json:",omitempty"` // some of them, active ones first
	Plain         *PlainHTTP      `json:",omitempty"` // the answer at http://; nil where that was not asked
	Hosts         int             `json:",omitzero"`  // absolute links to an origin's own host that were taken for relative ones
	Limited       int             `json:",omitzero"`  // requests that the origin refused since it limits them, and that were repeated
}

// MixedResource is one http:// resource that an https page loads.
type MixedResource struct {
	Page    string // its path
	Element string // that loads it, as in "script" or "css"
	URL     string
	Active  bool // it can change the page: browsers block it
}

// PlainHTTP is how an https origin answers for its home page at http://.
type PlainHTTP struct {
	Status   int    `json:",omitzero"` // 0 for no answer
	Location string `json:",omitzero"` // of a redirect
	Err      string `json:",omitzero"` // why there is no answer
}

// Said tells of the answer in a few words. at is the origin's URL. The text is not safe.
func (p PlainHTTP) Said(at string) string {
	switch {
	case p.Status == 0:
		return "no answer"
	case p.Status/100 != 3 || p.Location == "":
		return fmt.Sprintf("answers %d", p.Status)
	}
	from, err := url.Parse(at)
	if err != nil {
		return fmt.Sprintf("answers %d", p.Status)
	}
	plain := *from
	plain.Scheme = "http"
	to, err := plain.Parse(p.Location)
	switch {
	case err != nil:
		return fmt.Sprintf("answers %d", p.Status)
	case to.Scheme == "https" && strings.EqualFold(to.Hostname(), from.Hostname()):
		return "redirects to https"
	}
	return "redirects to " + to.Scheme + "://" + to.Host
}

// keepMixed is how many examples of mixed content are kept of an origin.
const keepMixed = 5

// addPart adds what was learnt with a part.
func (f *Facts) addPart(p Facts) {
	sum := *f
	if f.Protocol == "" {
		sum = p
	}
	sum.Mixed, sum.MixedActive, sum.MixedPages = f.Mixed+p.Mixed, f.MixedActive+p.MixedActive, f.MixedPages+p.MixedPages
	sum.MixedExamples = slices.Concat(f.MixedExamples, p.MixedExamples)
	sum.MixedExamples = sum.MixedExamples[:min(len(sum.MixedExamples), keepMixed)]
	sum.Limited = f.Limited + p.Limited
	if sum.Plain == nil {
		sum.Plain = p.Plain
	}
	*f = sum
}
