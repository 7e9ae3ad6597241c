package diff_test

import (
	"errors"
	"reflect"
	"testing"

	"mirror/diff"
)

func TestHTTPSNotes(t *testing.T) {
	at := func(name string, f diff.Facts) diff.OriginVerdict {
		f.TLS = "TLS 1.3"
		return diff.OriginVerdict{Name: name, URL: "https://" + name + ".example/", Facts: f}
	}
	redirects := func(to string) *diff.PlainHTTP { return &diff.PlainHTTP{Status: 301, Location: to} }
	unseen := at("d", diff.Facts{HSTS: "max-age=1"})
	unseen.Err = errors.New("refused")
	for name, tc := range map[string]struct {
		origins []diff.OriginVerdict
		want    []string
	}{
		"all alike": {[]diff.OriginVerdict{
			at("a", diff.Facts{HSTS: "max-age=1; includeSubDomains", Plain: redirects("https://a.example/"), Mixed: 2}),
			at("b", diff.Facts{HSTS: "Max-Age=1;includesubdomains", Plain: redirects("https://B.example/"), Mixed: 2}),
			{Name: "c", URL: "http://c.example/"}, unseen,
		}, nil},
		"one alone": {[]diff.OriginVerdict{at("a", diff.Facts{HSTS: "max-age=1", Plain: redirects("/x"), Mixed: 1})}, nil},
		"all differ": {[]diff.OriginVerdict{
			at("a", diff.Facts{HSTS: "max-age=1", Plain: redirects("https://a.example/"), Mixed: 1}),
			at("b", diff.Facts{Plain: &diff.PlainHTTP{Status: 200}}),
			at("c", diff.Facts{Plain: &diff.PlainHTTP{Status: 404}, Mixed: 2}),
			at("d", diff.Facts{Plain: &diff.PlainHTTP{Err: "refused"}}),
			at("e", diff.Facts{Plain: redirects("https://a.example/")}),
			at("f", diff.Facts{Plain: redirects("/index.html")}),
		}, []string{
			"HSTS differs: max-age=1 on a; none on b, c, d, e, f",
			"the answer at http:// differs: redirects to https on a; answers 200 on b; answers 404 on c; no answer on d; redirects to https://a.example on e; redirects to http://f.example on f",
			"mixed content differs: 1 http:// resource on a; none on b, d, e, f; 2 http:// resources on c",
		}},
	} {
		if got := diff.HTTPSNotes(tc.origins); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, tc.want)
		}
	}
}
