package reports_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"mirror/diff"
	"mirror/reports"
	"mirror/reports/formats"
)

// command is a workflow command as GitHub's runner reads one.
type command struct{ name, title, text string }

// runner reads a line as actions/runner does (ActionCommand.cs): the newer form at the
// line's beginning, the older one anywhere.
func runner(line string) (command, bool) {
	if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "::") {
		info, data, ok := strings.Cut(trimmed[2:], "::")
		if name, properties, _ := strings.Cut(info, " "); ok {
			c := command{name: name, text: unescape(data, "%0D", "\r", "%0A", "\n", "%25", "%")}
			for property := range strings.SplitSeq(properties, ",") {
				if value, isTitle := strings.CutPrefix(property, "title="); isTitle {
					c.title = unescape(value, "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
				}
			}
			return c, true
		}
	}
	if _, rest, ok := strings.Cut(line, "##["); ok && strings.Contains(rest, "]") {
		return command{name: rest}, true
	}
	return command{}, false
}

func unescape(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// lines splits text where a runner or an editor may.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) })
}

func oneDrift(origin, path, detail string) reports.Check {
	return reports.CheckOf(diff.Verdict{Pages: 1, Notes: []string{detail}, Origins: []diff.OriginVerdict{
		{Name: origin, URL: path, Differences: []diff.Difference{{Origin: origin, Path: path, URL: path, Kind: diff.Altered, Detail: detail, Excerpt: detail}}},
		{Name: origin, Err: errors.New(detail)},
	}})
}

func FuzzGitHub(f *testing.F) {
	for _, name := range hostile() {
		f.Add("pages", name, name)
		f.Add(name, "a.html", "detail")
	}
	f.Fuzz(func(t *testing.T, origin, path, detail string) {
		c := oneDrift(origin, path, detail)
		got := lines(string(encode(t, "github", c, reports.Style{})))
		if len(got) != 2 {
			t.Fatalf("got %d lines, want 2: %q", len(got), got)
		}
		for _, line := range got {
			if cmd, ok := runner(line); !ok || cmd.name != "error" || !strings.HasPrefix(cmd.title, "mirror: ") {
				t.Errorf("%q is read as %+v", line, cmd)
			}
		}
		for _, f := range formats.Check() {
			name := f.Name
			if name == "github" {
				continue // which is meant for the runner
			}
			for _, line := range lines(string(encode(t, name, c, reports.Style{Verbose: true}))) {
				if cmd, ok := runner(line); ok {
					t.Errorf("%s: %q is read as %+v", name, line, cmd)
				}
			}
		}
	})
}

// junit is what viewers read of a JUnit file.
type junit struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name  string `xml:"name,attr"`
		Cases []struct {
			Name    string    `xml:"name,attr"`
			Class   string    `xml:"classname,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
			Out     string    `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func readJUnit(t *testing.T, text []byte) junit {
	t.Helper()
	var doc junit
	d := xml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) && err != nil {
		t.Fatalf("after the document: %v", err)
	}
	return doc
}

func TestJUnitIsReadBack(t *testing.T) {
	doc := readJUnit(t, encode(t, "junit", reports.CheckOf(nasty()), reports.Style{}))
	var tests, failures, errs, skipped int
	for _, s := range doc.Suites {
		names := map[string]bool{}
		for _, c := range s.Cases {
			if names[c.Name] {
				t.Errorf("%s: two cases are named %q", s.Name, c.Name)
			}
			names[c.Name] = true
			tests++
			switch {
			case c.Error != nil:
				errs++
			case c.Failure != nil:
				failures++
			case c.Skipped != nil:
				skipped++
			}
		}
	}
	if got, want := [4]int{doc.Tests, doc.Failures, doc.Errors, doc.Skipped}, [4]int{tests, failures, errs, skipped}; got != want {
		t.Errorf("sums: got %v, want %v", got, want)
	}
	// 20 rows and three origins; the drifting origin fails too.
	if got, want := [4]int{tests, failures, errs, skipped}, [4]int{23, 19, 2, 1}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	got, warnings, _ := strings.Cut(doc.Suites[0].Cases[0].Out, "\n")
	if want := "https&#x3A;//me.example/: 1204 of 1204 pages match; none"; !strings.HasPrefix(warnings, "warning: the certificate") || got != strings.ReplaceAll(want, "&#x3A;", ":") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzJUnit(f *testing.F) {
	for _, name := range hostile() {
		f.Add(name, name, name)
	}
	f.Add("\ufffe", "\uffff", "\U0010ffff")
	f.Fuzz(func(t *testing.T, origin, path, detail string) {
		doc := readJUnit(t, encode(t, "junit", oneDrift(origin, path, detail), reports.Style{}))
		if doc.Failures != 3 && doc.Failures != 2 || doc.Errors != 1 || len(doc.Suites) != 2 {
			t.Errorf("got %+v", doc)
		}
	})
}

// TestCSVIsReadBack reads the CSV as a spreadsheet does.
func TestCSVIsReadBack(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(encode(t, "csv", reports.CheckOf(nasty()), reports.Style{}))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1+20+1 {
		t.Errorf("got %d rows, want a header, 20 differences and an origin", len(rows))
	}
	for _, row := range rows {
		for _, cell := range row {
			if begin := strings.TrimSpace(cell); begin != "" && strings.ContainsRune("=+-@\t\r", rune(begin[0])) {
				t.Errorf("a spreadsheet would compute %q", cell)
			}
		}
	}
}

// sarif is what code scanning reads of a SARIF file.
type sarif struct {
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name  string
				Rules []struct {
					ID   string
					Help struct{ Text string }
				}
			}
		}
		Results []struct {
			RuleID    string
			RuleIndex int
			Level     string
			Message   struct{ Text string }
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine int }
				}
			}
			PartialFingerprints map[string]string
			Suppressions        []struct{ Kind string }
		}
	}
}

func readSARIF(t *testing.T, c reports.Check) sarif {
	t.Helper()
	var doc sarif
	if err := json.Unmarshal(encode(t, "sarif", c, reports.Style{}), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSARIFIsReadBack(t *testing.T) {
	doc := readSARIF(t, reports.CheckOf(nasty()))
	if doc.Version != "2.1.0" || len(doc.Runs) != 1 || len(doc.Runs[0].Results) != 21 {
		t.Fatalf("got %+v", doc)
	}
	rules := doc.Runs[0].Tool.Driver.Rules
	seen := map[string]bool{}
	for _, r := range doc.Runs[0].Results {
		if r.RuleIndex < 0 || r.RuleIndex >= len(rules) || rules[r.RuleIndex].ID != r.RuleID || rules[r.RuleIndex].Help.Text == "" {
			t.Errorf("the rule of %+v is not told", r)
		}
		if r.Message.Text == "" || len(r.Locations) != 1 || r.Locations[0].PhysicalLocation.Region.StartLine < 1 {
			t.Errorf("%+v cannot be shown", r)
		}
		at, err := url.Parse(r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
		if err != nil || at.IsAbs() || at.Host != "" || at.Path == "" || at.Path[0] == '/' || at.RawQuery != "" || at.Fragment != "" {
			t.Errorf("%+v is no path: %v", at, err)
		}
		if (r.Level == "note") != (len(r.Suppressions) > 0) {
			t.Errorf("%+v: what is tolerated is suppressed, and nothing else", r)
		}
		print := r.PartialFingerprints["primaryLocationLineHash"]
		if print == "" || seen[print] {
			t.Errorf("the fingerprint %q is not there or not one's own", print)
		}
		seen[print] = true
	}
}

// TestFingerprintsStay compares two runs in which the same page drifts in the same way.
func TestFingerprintsStay(t *testing.T) {
	first, second := nasty(), nasty()
	second.Started = second.Started.AddDate(0, 0, 1)
	second.Origins[1].Differences[0].Got[5] = 7
	second.Origins[1].Differences[0].Detail = "6 bytes, want 9"
	second.Origins[1].Differences = second.Origins[1].Differences[:1]
	prints := map[string]bool{}
	for _, r := range readSARIF(t, reports.CheckOf(first)).Runs[0].Results {
		prints[r.PartialFingerprints["primaryLocationLineHash"]] = true
	}
	for _, r := range readSARIF(t, reports.CheckOf(second)).Runs[0].Results {
		if !prints[r.PartialFingerprints["primaryLocationLineHash"]] {
			t.Errorf("%s would be a new alert", r.Message.Text)
		}
	}
}

// TestSARIFUploads holds the largest file to what code scanning accepts: 10 MB, compressed.
func TestSARIFUploads(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(encode(t, "sarif", reports.CheckOf(big()), reports.Style{})); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 10<<20 {
		t.Errorf("got %d bytes, compressed", b.Len())
	}
}

// TestMarkdownTableIsWhole splits the rows as GitHub does.
func TestMarkdownTableIsWhole(t *testing.T) {
	text := string(encode(t, "markdown", reports.CheckOf(nasty()), reports.Style{}))
	columns := 0
	for line := range strings.Lines(text) {
		switch cells := strings.Count(line, "|"); {
		case !strings.HasPrefix(line, "|"):
			columns = 0
		case columns == 0:
			columns = cells
		case cells != columns:
			t.Errorf("got %d cells, want %d: %s", cells-1, columns-1, line)
		}
		for _, bad := range []string{"<script", "<img", "<!--", "`", "](", "https://", "www.", "@everyone", "@root", "@evil", "$x", "~~", " #1"} {
			if strings.Contains(line, bad) {
				t.Errorf("%q is live in %s", bad, line)
			}
		}
	}
}
