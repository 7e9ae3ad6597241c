package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
)

// maxCases is how many differences have a test case. GitLab reads files below 30 MB; beyond
// this count the case of the origin as a whole tells the number.
const maxCases = 10_000

// maxInCase bounds, in runes, each text of an origin in a test case.
const maxInCase = 500

type testSuites struct {
	XMLName  xml.Name    `xml:"testsuites"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Suites   []testSuite `xml:"testsuite"`
}

type testSuite struct {
	Name      string     `xml:"name,attr"`
	Tests     int        `xml:"tests,attr"`
	Failures  int        `xml:"failures,attr"`
	Errors    int        `xml:"errors,attr"`
	Skipped   int        `xml:"skipped,attr"`
	Time      string     `xml:"time,attr"`
	Timestamp string     `xml:"timestamp,attr"`
	Cases     []testCase `xml:"testcase"`
}

type testCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr"`
	Failure *testMessage `xml:"failure"`
	Error   *testMessage `xml:"error"`
	Skipped *testMessage `xml:"skipped"`
	Out     string       `xml:"system-out,omitempty"`
}

type testMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes a test suite an origin. Its first case is the origin as a whole, which also
// counts the pages that match: a case for each of those would say nothing and would be what
// viewers choke on. Then there is a case for each page that differs: a failure, an error
// where the page could not be judged, skipped where the difference is tolerated.
func (c Check) JUnit(w io.Writer) error {
	doc := testSuites{Name: "mirror check", Time: seconds(c.Elapsed)}
	byOrigin := map[string][]Drift{}
	for _, d := range c.Drift {
		byOrigin[d.Origin] = append(byOrigin[d.Origin], d)
	}
	left := maxCases
	for _, o := range c.Origins {
		rows := byOrigin[o.Name]
		shown := min(len(rows), left)
		left -= shown
		suite := c.suite(o, rows[:shown], pagesOf(rows[shown:]))
		doc.Tests, doc.Failures = doc.Tests+suite.Tests, doc.Failures+suite.Failures
		doc.Errors, doc.Skipped = doc.Errors+suite.Errors, doc.Skipped+suite.Skipped
		doc.Suites = append(doc.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (c Check) suite(o Origin, rows []Drift, hidden int) testSuite {
	s := testSuite{Name: clip(clean(o.Name), maxInCase), Time: seconds(o.Elapsed), Timestamp: c.Started.UTC().Format(time.RFC3339)}
	s.add(o.whole(s.Name, hidden))
	seen := map[string]int{}
	for _, d := range rows {
		name := clip(clean(d.shown()), maxInCase)
		if seen[name]++; seen[name] > 1 { // GitLab keeps the first of a name only
			name += fmt.Sprintf(" (%d)", seen[name])
		}
		s.add(c.testCase(s.Name, name, d))
	}
	return s
}

func (s *testSuite) add(t testCase) {
	s.Cases = append(s.Cases, t)
	s.Tests++
	switch {
	case t.Error != nil:
		s.Errors++
	case t.Failure != nil:
		s.Failures++
	case t.Skipped != nil:
		s.Skipped++
	}
}

// whole is the case of the origin itself. Its name is the same in each run.
func (o Origin) whole(class string, hidden int) testCase {
	t := testCase{
		Class: class, Name: "the origin as a whole", Time: seconds(o.Elapsed),
		Out: fmt.Sprintf("%s: %d of %d pages match; %s", clip(clean(o.URL), maxInCase), o.Match, o.Pages, o.drift()),
	}
	if hidden > 0 {
		t.Out += fmt.Sprintf("; %s without a case of their own", humanize.Plural(hidden, "difference"))
	}
	for _, warning := range o.warnings() {
		t.Out += "\nwarning: " + warning
	}
	switch {
	case o.ErrorTolerated != "":
		t.Skipped = message("", "tolerated, "+o.ErrorTolerated+": "+o.Error)
	case o.Error != "":
		t.Error = message(string(diff.Unreachable), o.Error)
	case o.State == diff.Drifts:
		t.Failure = message(string(o.State), o.drift())
	case o.State == diff.CannotBeSeen:
		t.Error = message(string(o.State), o.drift())
	}
	return t
}

func (c Check) testCase(class, name string, d Drift) testCase {
	t := testCase{Class: class, Name: name, Time: "0"}
	text := string(d.Kind) + ": " + c.detail(d)
	switch {
	case d.Tolerated != "":
		t.Skipped = message("", "tolerated, "+d.Tolerated+": "+text)
	case d.Kind == diff.Unreachable:
		t.Error = message(string(d.Kind), text)
	default:
		t.Failure = message(string(d.Kind), text)
	}
	if d.URL != "" {
		t.Out = clip(clean(d.URL), maxInCase)
	}
	return t
}

// message says the same as an attribute and as text: viewers show the one or the other.
func message(kind, text string) *testMessage {
	text = clip(clean(text), maxInCase)
	return &testMessage{Message: text, Type: kind, Text: text}
}

func seconds(m Millis) string { return fmt.Sprintf("%.3f", time.Duration(m).Seconds()) }
