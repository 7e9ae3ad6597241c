package survey

import (
	"fmt"

	"mirror/diff"
	"mirror/internal/origin"
)

// Measure adds to an origin's verdict what its client has learnt beside the pages: how the origin
// serves, and what it cost to ask it.
func Measure(client *origin.Client, v *diff.OriginVerdict) {
	v.Requests, v.Bytes = client.Counts()
	f := client.Facts()
	limited, _ := client.Limited()
	v.Facts = diff.Facts{
		Protocol: f.Protocol, TLS: f.TLS, Expires: f.Expires, Names: f.Names, Issuer: f.Issuer, HSTS: f.HSTS,
		Mixed: f.Mixed.Count, MixedActive: f.Mixed.Active, MixedPages: f.Mixed.Pages, Hosts: v.Facts.Hosts, Limited: limited.Refused,
	}
	for _, r := range f.Mixed.Examples {
		v.Facts.MixedExamples = append(v.Facts.MixedExamples, diff.MixedResource{Page: r.Page, Element: r.Element, URL: r.URL, Active: r.Active})
	}
	if f.Plain != nil {
		plain := diff.PlainHTTP(*f.Plain)
		v.Facts.Plain = &plain
	}
}

// LimitNote tells people of an origin that limits requests, "" of another. setting names what bounds
// the rate.
func LimitNote(client *origin.Client, setting string) string {
	l, ok := client.Limited()
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s limits requests: it refused %d with %d, and was asked more slowly (hint: set %s to %s or lower)",
		client.Endpoint().Name, l.Refused, l.Status, setting, origin.RateText(l.Rate))
}
