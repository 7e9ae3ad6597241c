package reports

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"mirror/diff"
	"mirror/internal/humanize"
)

// maxResults is how many results code scanning stores of a run; it refuses a file with more
// than 25,000 of them.
const maxResults = 5000

// Homepage is where to read of mirror, as set by the build (-ldflags "-X mirror/reports.Homepage=…"); ""
// for the address of the module, where its path names a host.
var Homepage string

// placeholder is the address in the documents, where the build knows none.
const placeholder = "https://github.com/you/mirror"

// homepage is the informationUri of a log.
func homepage() string {
	build, _ := debug.ReadBuildInfo()
	if Homepage != "" || build == nil {
		return cmp.Or(Homepage, placeholder)
	}
	return cmp.Or(addressOf(build.Main.Path), placeholder)
}

// addressOf returns the address of a module, "" where its path names no host.
func addressOf(module string) string {
	host, _, below := strings.Cut(module, "/")
	if !below || !strings.Contains(host, ".") {
		return ""
	}
	return "https://" + module
}

// maxInResult bounds, in runes, each text of an origin in a result.
const maxInResult = 500

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	URI     string      `json:"informationUri"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Short   sarifText   `json:"shortDescription"`
	Full    sarifText   `json:"fullDescription"`
	Help    sarifText   `json:"help"`
	Default sarifConfig `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

type sarifInvocation struct {
	Successful    bool        `json:"executionSuccessful"`
	Start         string      `json:"startTimeUtc"`
	Notifications []sarifNote `json:"toolExecutionNotifications,omitempty"`
}

type sarifNote struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	Rule         string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Occurrences  int               `json:"occurrenceCount,omitempty"` // of one result for many pages
	Suppressions []sarifSuppressed `json:"suppressions,omitempty"`
	Properties   sarifProperties   `json:"properties"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

type sarifLogical struct {
	Name string `json:"name"`
	Full string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifSuppressed struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification"`
}

type sarifProperties struct {
	Origin  string `json:"origin"`
	Want    string `json:"want,omitempty"`
	Got     string `json:"got,omitempty"`
	Status  int    `json:"status,omitempty"`
	Release string `json:"release,omitempty"`
}

// SARIF writes the check as a SARIF 2.1.0 log: a rule for each kind of drift, a result for
// each difference, the worst first, with a fingerprint that stays the same as long as the
// same page of the same origin drifts in the same way.
func (c Check) SARIF(w io.Writer, s Style) error {
	rows := c.findings()
	slices.SortStableFunc(rows, func(a, b Drift) int { return cmp.Compare(rank(a.level()), rank(b.level())) })
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "mirror", Version: s.Version, URI: homepage(), Rules: sarifRules()}},
		Invocations: []sarifInvocation{c.invocation(len(rows))},
		Results:     []sarifResult{},
	}
	for _, d := range rows[:min(len(rows), maxResults)] {
		run.Results = append(run.Results, c.result(d))
	}
	return JSON(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func rank(level string) int {
	return slices.Index([]string{levelError, levelWarning, levelNote}, level)
}

// invocation carries what is no result: the notes, and how many results were left out.
func (c Check) invocation(rows int) sarifInvocation {
	i := sarifInvocation{Successful: true, Start: c.Started.UTC().Format("2006-01-02T15:04:05.000Z")}
	say := func(level, text string) {
		i.Notifications = append(i.Notifications, sarifNote{level, sarifText{clip(clean(text), maxInResult)}})
	}
	say(levelNote, c.summary())
	for _, note := range c.Notes[:min(len(c.Notes), maxMarkdownLines)] {
		say(levelNote, note)
	}
	for _, warning := range c.Warnings {
		say(levelWarning, warning)
	}
	for _, o := range c.Origins {
		for _, warning := range o.warnings() {
			say(levelWarning, o.Name+": "+warning)
		}
	}
	if n := rows - maxResults; n > 0 {
		say(levelWarning, humanize.Plural(n, "result")+" left out, the mildest: code scanning keeps no more")
	}
	return i
}

func (c Check) result(d Drift) sarifResult {
	r := sarifResult{
		Rule: string(d.Kind), RuleIndex: slices.Index(diff.Kinds(), d.Kind), Level: d.level(),
		Message: sarifText{clip(clean(d.Origin+" "+d.shown()+": "+c.detail(d)), maxInResult)},
		Locations: []sarifLocation{{
			Physical: sarifPhysical{sarifArtifact{d.artifact()}, sarifRegion{1}},
			Logical:  []sarifLogical{{clean(d.Origin), clip(clean(d.Origin+" "+d.URL), maxInResult), "resource"}},
		}},
		Fingerprints: d.fingerprints(), Occurrences: d.Pages,
		Properties: sarifProperties{clean(d.Origin), d.Want.String(), d.Got.String(), d.Status, string(d.Release)},
	}
	if d.Tolerated != "" {
		r.Suppressions = []sarifSuppressed{{"external", clip(clean(d.Tolerated), maxInResult)}}
	}
	return r
}

// artifact is the site's path as a relative URI. Code scanning shows no result without a
// file: what concerns a whole origin stands at the page that everybody opens first.
func (d Drift) artifact() string {
	name := strings.TrimPrefix(path.Clean("/"+d.Path), "/")
	if d.Path == "*" || name == "" {
		name = "index.html"
	}
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(strings.ToValidUTF8(part, "\uFFFD"))
	}
	return strings.ReplaceAll(strings.Join(parts, "/"), ":", "%3A") // or its beginning is a scheme
}

// fingerprints name the difference, not what is seen of it, so that a page that goes on
// drifting stays one alert. The first key is the one that GitHub reads.
func (d Drift) fingerprints() map[string]string {
	sum := sha256.Sum256([]byte(d.Origin + "\x00" + string(d.Kind) + "\x00" + d.Path))
	id := hex.EncodeToString(sum[:16])
	return map[string]string{"primaryLocationLineHash": id + ":1", "mirrorDrift/v1": id}
}

func sarifRules() []sarifRule {
	var rules []sarifRule
	for _, k := range diff.KindInfos() {
		id := string(k.Kind)
		rules = append(rules, sarifRule{
			ID: id, Name: ruleName(k.Kind),
			Short: sarifText{k.What}, Full: sarifText{k.What + " " + k.Why}, Help: sarifText{k.Todo},
			Default: sarifConfig{Drift{Kind: k.Kind}.level()},
		})
	}
	return rules
}

// ruleName is a kind's rule in CamelCase, of two words: a name that is the ID again tells nothing.
func ruleName(k diff.Kind) string {
	id := string(k)
	name := strings.ToUpper(id[:1]) + id[1:]
	if k == diff.Headers {
		return "Wrong" + name
	}
	return name + "Page"
}
