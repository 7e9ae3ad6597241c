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
		want   string // "" for no hint
	}{
		"no such key":             {targets.OriginAnswer{Status: 404, Type: "application/xml"}, "website endpoint"},
		"access denied":           {targets.OriginAnswer{Status: 403, Type: "application/xml; charset=utf-8"}, "website endpoint"},
		"no index, not public":    {targets.OriginAnswer{Status: 403, Type: "application/xml", NoIndex: true}, "let its policy"},
		"no index, no key":        {targets.OriginAnswer{Status: 404, Type: "application/xml", NoIndex: true}, ""},
		"a listing":               {targets.OriginAnswer{Status: 200, Type: "text/xml"}, "website endpoint"},
		"folders alone":           {targets.OriginAnswer{Status: 404, Folders: true}, "website endpoint"},
		"the website endpoint":    {targets.OriginAnswer{Status: 404, Type: "text/html"}, ""},
		"a redirect to elsewhere": {targets.OriginAnswer{Status: 301, Type: "application/xml", Location: &url.URL{Host: "example.com"}}, ""},
	} {
		if got := s3.Kind().OriginHint(nil, c.answer); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
