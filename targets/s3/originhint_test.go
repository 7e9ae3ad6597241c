package s3_test

import (
	"net/url"
	"strings"
	"testing"

	"mirror/targets"
	"mirror/targets/s3"
)

// The REST endpoint of a bucket answers for a folder in XML.
func TestOriginHint(t *testing.T) {
	for name, c := range map[string]struct {
		answer targets.OriginAnswer
		hint   bool
	}{
		"no such key":             {targets.OriginAnswer{Status: 404, Type: "application/xml"}, true},
		"access denied":           {targets.OriginAnswer{Status: 403, Type: "application/xml; charset=utf-8"}, true},
		"a listing":               {targets.OriginAnswer{Status: 200, Type: "text/xml"}, true},
		"folders alone":           {targets.OriginAnswer{Status: 404, Folders: true}, true},
		"the website endpoint":    {targets.OriginAnswer{Status: 404, Type: "text/html"}, false},
		"a redirect to elsewhere": {targets.OriginAnswer{Status: 301, Type: "application/xml", Location: &url.URL{Host: "example.com"}}, false},
	} {
		if got := s3.Kind().OriginHint(nil, c.answer); strings.Contains(got, "website endpoint") != c.hint {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
