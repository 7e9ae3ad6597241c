package reports_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"mirror/diff"
	"mirror/internal/longtest"
	"mirror/reports"
	"mirror/reports/formats"
	"mirror/site"
)

// hostile is what an enemy calls a page: something for every reader of every format.
func hostile() []string {
	return []string{
		"a\x1b[31m\n::error::forged\r\n.html",
		"::set-output name=agree::true",
		"x ##[set-env name=PATH]/evil ##vso[task.complete result=Succeeded;]",
		"=HYPERLINK(\"https://evil.example/\",\"see\").csv",
		"@SUM(1+1)*cmd|' /C calc'!A0",
		"]]><![CDATA[<script>alert(1)</script>&amp;&#0;",
		"| forged | row |<img src=x onerror=alert(1)>`code`[link](https://evil.example/)",
		"@everyone look at #1, www.evil.example and me@evil.example $x$ ~~gone~~",
		"invoice\u202egnp.html\u200b\u2066",
		"latin-\xe9\xff-\x00.html",
		"文章/你好,世界.html",
		"<!-- --> <details><summary>x</summary>",
		"%0A::warning::x%2C",
		strings.Repeat("long/", 500) + "index.html",
	}
}

// nasty has an origin of each state, with all that is said beside, and an enemy's words in
// every field that an enemy can choose.
func nasty() diff.Verdict {
	v := verdict()
	started := v.Started
	older := site.ID("1a2b3c4d5e6f" + strings.Repeat("0", 52))
	v.Notes = []string{"the reference is what 2 of 3 origins serve\n::error::forged", "@team see #12 | www.evil.example"}
	agrees, drifts, gone := &v.Origins[0], &v.Origins[1], &v.Origins[2]
	agrees.Facts = diff.Facts{Protocol: "HTTP/2.0", TLS: "TLS 1.3", Expires: started.Add(9*24*time.Hour + time.Hour), HSTS: "max-age=31536000\x1b[2J"}
	agrees.Noise = []string{"now.html", "a\nb", "c", "d", "e", "f"}
	agrees.Trusted = 1100
	drifts.Facts = diff.Facts{Protocol: "HTTP/1.1", TLS: "TLS 1.2", Expires: started.Add(-time.Hour), Mixed: 4, Hosts: 12}
	gone.Err = errors.New("connection refused\r\n::error::fake line ##[error]x @root <b>")
	drifts.Differences = append(drifts.Differences,
		diff.Difference{Origin: "镜像", Path: "stale.html", URL: "https://b.example/stale.html", Kind: diff.Stale, Want: site.Digest{1}, Got: site.Digest{3}, Status: 200,
			Release: older, Behind: 2, Published: started.Add(-3*24*time.Hour - time.Minute), Excerpt: "@@ -1,2 +1,2 @@\n ::set-output name=agree::true\n-<p>\x1b[31mold ##[error]x</p>\n+<p>新</p>"},
		diff.Difference{Origin: "镜像", Path: "feed.xml", Kind: diff.Altered, Status: 200, Detail: "5 bytes, want 9", Tolerated: "--tolerate altered:feed.xml|@root"},
		diff.Difference{Origin: "镜像", Path: "feed.xml", Kind: diff.Headers, Status: 200, Detail: "Cache-Control: none"},
		diff.Difference{Origin: "镜像", Path: "slow.html", Kind: diff.Unreachable, Detail: "timed out after 10s"},
	)
	for i, name := range hostile() {
		drifts.Differences = append(drifts.Differences, diff.Difference{
			Origin: "镜像", Path: name, URL: "https://b.example/" + name, Kind: []diff.Kind{diff.Altered, diff.Extra, diff.Redirected}[i%3], Status: 200, Location: name, Detail: name,
		})
	}
	return v
}

// agreeing is what a gate sees on most days.
func agreeing() diff.Verdict {
	v := verdict()
	v.Origins = v.Origins[:1]
	two := v.Origins[0]
	two.Name, two.URL = "bucket", "https://bucket.example/"
	v.Origins = append(v.Origins, two)
	return v
}

// big has 20,000 differences, tolerated ones among them, in long words.
func big() diff.Verdict {
	v := agreeing()
	for i := range v.Origins {
		o := &v.Origins[i]
		for j := range 10_000 {
			d := diff.Difference{
				Origin: o.Name, Path: fmt.Sprintf("%04d/%s<@|>.html", j, strings.Repeat("@<|>", 100)), URL: "https://b.example/" + strings.Repeat("x", 300),
				Kind: diff.Altered, Want: site.Digest{1}, Got: site.Digest{2}, Status: 200, Detail: strings.Repeat("@", 300),
			}
			if j%10 == 0 {
				d.Tolerated = "a rule"
			}
			o.Differences = append(o.Differences, d)
		}
	}
	return v
}

func encode(t *testing.T, name string, c reports.Check, s reports.Style) []byte {
	t.Helper()
	for _, f := range formats.Check() {
		if f.Name == name {
			var b bytes.Buffer
			if err := f.Write(c, &b, s); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}
	}
	t.Fatalf("there is no format %s", name)
	return nil
}

// TestFormatsGolden shows every format of a bad day and of a good one.
func TestFormatsGolden(t *testing.T) {
	extension := map[string]string{"text": "txt", "json": "json", "markdown": "md", "junit": "xml", "sarif": "sarif", "github": "github", "csv": "csv"}
	for name, v := range map[string]diff.Verdict{"nasty": nasty(), "agree": agreeing()} {
		for _, f := range formats.Check() {
			got := encode(t, f.Name, reports.CheckOf(v), reports.Style{Verbose: true})
			golden(t, name+"."+extension[f.Name], got)
		}
	}
}

// TestNothingHostileIsInAnyFormat looks for what a terminal or a CI runner would act on.
func TestNothingHostileIsInAnyFormat(t *testing.T) {
	for _, f := range formats.Check() {
		text := string(encode(t, f.Name, reports.CheckOf(nasty()), reports.Style{Verbose: true}))
		if !utf8.ValidString(text) {
			t.Errorf("%s: is no UTF-8", f.Name)
		}
		for _, r := range text {
			if r != '\n' && r != '\r' && r != '\ufe0f' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Errorf("%s: has %q", f.Name, r)
			}
		}
		for line := range strings.Lines(text) {
			ours := f.Name == "github" && strings.Contains(line, " title=mirror%3A ")
			if strings.HasPrefix(strings.TrimSpace(line), "::") && !ours || strings.Contains(line, "##") {
				t.Errorf("%s: a runner would obey %q", f.Name, line)
			}
		}
	}
}

// TestBigIsBounded looks at 20,000 differences in the formats whose readers have limits.
func TestBigIsBounded(t *testing.T) {
	longtest.Skip(t, "writes reports of many pages")
	c := reports.CheckOf(big())
	for name, want := range map[string]struct {
		bytes int
		said  string // of what was left out
	}{
		"text":     {64 << 10, "and 17950 more"},
		"markdown": {512 << 10, "more."},
		"github":   {64 << 10, "and 8995 more"},
		"junit":    {30 << 20, "10000 differences without a case"},
		"sarif":    {20 << 20, "15000 results left out"},
	} {
		got := encode(t, name, c, reports.Style{Verbose: true})
		if len(got) > want.bytes {
			t.Errorf("%s: got %d bytes, want at most %d", name, len(got), want.bytes)
		}
		if !bytes.Contains(got, []byte(want.said)) {
			t.Errorf("%s: does not say how much was left out", name)
		}
	}
	if got := bytes.Count(encode(t, "csv", c, reports.Style{}), []byte("\r\n")); got != 20_001 {
		t.Errorf("csv: got %d rows, want all", got)
	}
}

// TestSummaries reads the one line that people read.
func TestSummaries(t *testing.T) {
	sampled := agreeing()
	sampled.Sampled = 300
	between := agreeing()
	between.Release, between.Pages = site.None, 120
	apart := between
	apart.Origins = append([]diff.OriginVerdict{}, apart.Origins...)
	apart.Origins[1].Differences = []diff.Difference{{Origin: "bucket", Path: "a.html", Kind: diff.Altered, Got: site.Digest{1}, Status: 200}}
	sampledApart := apart
	sampledApart.Sampled = 60
	passed := agreeing()
	passed.Origins[0].Differences = []diff.Difference{{Origin: "pages", Path: "feed.xml", Kind: diff.Altered, Tolerated: "a rule"}}
	allPassed := between
	allPassed.Nowhere, allPassed.Closed = 39, 1
	allPassed.Origins = append([]diff.OriginVerdict{}, allPassed.Origins...)
	for range 4 {
		allPassed.Origins[0].Differences = append(allPassed.Origins[0].Differences, diff.Difference{Origin: "pages", Kind: diff.Missing, Tolerated: "a rule"})
	}
	unjudged, apartUnjudged := agreeing(), apart
	unjudged.Origins[0].Differences = []diff.Difference{{Origin: "pages", Path: "feed.xml", Kind: diff.Unreachable}}
	apartUnjudged.Origins = append([]diff.OriginVerdict{}, apart.Origins...)
	apartUnjudged.Origins[0].Differences = unjudged.Origins[0].Differences
	noisy := between
	noisy.Origins = append([]diff.OriginVerdict{}, noisy.Origins...)
	noisy.Origins[0].Noise, noisy.Origins[1].Noise = []string{"a", "b"}, []string{"b", "c"}
	one := between
	one.Sampled, one.Nowhere = 1, 0
	unseen := agreeing()
	unseen.Origins[1].Err, unseen.Origins[1].Tolerated = errors.New("refused"), "a rule"
	for name, test := range map[string]struct {
		v    diff.Verdict
		want string
	}{
		"agree":           {agreeing(), "The 2 origins agree on release abababababab: 1204 pages each."},
		"sampled":         {sampled, "The 2 origins agree on release abababababab: 300 of 1204 pages each, picked at random. With 95% confidence at most 1% of the pages drift."},
		"between":         {between, "The 2 origins serve the same 120 pages."},
		"apart":           {apart, "The origins do not serve the same: 1 difference."},
		"sampled, apart":  {sampledApart, "The origins do not serve the same: 1 difference among 60 of 120 pages, picked at random."},
		"passed":          {passed, "The 2 origins agree on release abababababab, except for 1 tolerated difference: 1204 pages each."},
		"all passed":      {allPassed, "The 2 origins serve the same 80 pages, except for 4 tolerated differences; 39 listed pages are on no site; 1 page is behind a login."},
		"unjudged":        {unjudged, "Not every origin could be judged: 1 page was unreachable."},
		"apart, unjudged": {apartUnjudged, "The origins do not serve the same: 1 difference, and 1 page that could not be judged."},
		"noisy":           {noisy, "The 2 origins serve the same 120 pages, except for 3 pages that differ on every request."},
		"one of them":     {one, "The 2 origins serve the same 1 of 120 pages, picked at random. With 95% confidence at most 100% of the pages drift."},
		"unseen":          {unseen, "The origin serves release abababababab: 1204 pages. 1 origin could not be seen, which is tolerated."},
	} {
		text := string(encode(t, "text", reports.CheckOf(test.v), reports.Style{}))
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if got := lines[len(lines)-1]; got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// TestHomePageIsNamed has the home page's path, which is empty, in what people read.
func TestHomePageIsNamed(t *testing.T) {
	v := agreeing()
	v.Release = site.None
	v.Origins[0].Noise, v.Origins[0].Recovered = []string{"", "a.html"}, 4
	v.Origins[1].Differences = []diff.Difference{{Origin: "bucket", Kind: diff.Altered, Status: 200, Detail: "5 bytes"}}
	for name, want := range map[string][]string{
		"text":     {" altered  /     5 bytes", "not judged: /, a.html", "pages: 4 pages gave a wrong answer first, and the right one when requested again"},
		"markdown": {"| <code>bucket</code> | <code>/</code> | 5 bytes |", "not judged: /, a.html", "4 pages gave a wrong answer first"},
		"github":   {"::/ (5 bytes)"},
		"junit":    {`name="/"`},
		"sarif":    {"bucket /: 5 bytes"},
		"json": {`"path": ""`, `"noise": [
        "",`, `"recovered": 4`},
		"csv": {"bucket,,"},
	} {
		got := string(encode(t, name, reports.CheckOf(v), reports.Style{}))
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q is not in\n%s", name, part, got)
			}
		}
	}
}

// TestAtMost gives a bound only where a sample was clean.
func TestAtMost(t *testing.T) {
	v := agreeing()
	v.Sampled = 300
	if c := reports.CheckOf(v); c.AtMost == nil || *c.AtMost != 0.01 {
		t.Errorf("300 clean pages: got %v, want 0.01", c.AtMost)
	}
	v.Sampled = 2
	if c := reports.CheckOf(v); c.AtMost == nil || *c.AtMost != 1 {
		t.Errorf("2 clean pages: got %v, want 1", c.AtMost)
	}
	v.Sampled = v.Pages
	if c := reports.CheckOf(v); c.AtMost != nil || c.Sampled != 0 {
		t.Errorf("all pages: got a sample of %d", c.Sampled)
	}
	v.Sampled = 300
	v.Origins[0].Differences = []diff.Difference{{Path: "a", Kind: diff.Altered}}
	if c := reports.CheckOf(v); c.AtMost != nil {
		t.Errorf("a page that drifts: got the bound %v", *c.AtMost)
	}
}
