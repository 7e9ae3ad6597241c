package survey

import (
	"mirror/diff"
	"mirror/internal/origin"
)

// Measure adds to an origin's verdict what its client has learnt beside the pages: how the origin
// serves, and what it cost to ask it.
func Measure(client *origin.Client, v *diff.OriginVerdict) {
	v.Requests, v.Bytes = client.Counts()
	f := client.Facts()
	v.Facts = diff.Facts{Protocol: f.Protocol, TLS: f.TLS, Expires: f.Expires, HSTS: f.HSTS, Mixed: f.Mixed, Hosts: v.Facts.Hosts}
}
