package reports_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/reports"
	"mirror/site"
)

var update = flag.Bool("update", false, "write the golden files anew")

// verdict has an origin of each state, and texts that an enemy chose.
func verdict() diff.Verdict {
	id := site.ID(strings.Repeat("ab", 32))
	return diff.Verdict{
		Release: id, Pages: 1204, Started: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Elapsed: 812400 * time.Microsecond,
		Origins: []diff.OriginVerdict{
			{Name: "pages", URL: "https://me.example/", Release: id, Pages: 1204, Match: 1204, Requests: 1209, Bytes: 38211044, Elapsed: 640 * time.Millisecond},
			{Name: "镜像", URL: "https://b.example/", Pages: 1204, Match: 1202, Requests: 1211, Bytes: 1500, Elapsed: 61 * time.Second, Differences: []diff.Difference{
				{Origin: "镜像", Path: "文章/你好.html", URL: "https://b.example/x", Kind: diff.Altered, Want: site.Digest{1}, Got: site.Digest{2}, Status: 200, Detail: "5 bytes, want 9"},
				{Origin: "镜像", Path: "a\x1b[31m\n|<b>\u202e.html", Kind: diff.Redirected, Status: 301, Location: "https://evil.example/\x07", Detail: "answered 301"},
			}},
			{Name: "image", URL: "https://c.example/", Requests: 1, Err: errors.New("connection refused\r\nfake line")},
		},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("../testdata/reports", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestCheckGolden(t *testing.T) {
	doc := reports.CheckOf(verdict())
	var text, wide, js bytes.Buffer
	for _, err := range []error{
		doc.Text(&text, reports.Style{}),
		doc.Text(&wide, reports.Style{Lines: true, Color: true, Width: 120}),
		reports.JSON(&js, doc),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "check.txt", text.Bytes())
	golden(t, "check-terminal.txt", wide.Bytes())
	golden(t, "check.json", js.Bytes())
}

func TestPublishAndPlanGolden(t *testing.T) {
	id := site.ID(strings.Repeat("cd", 32))
	check := reports.CheckOf(verdict())
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	publish := reports.Publish{
		Schema: "mirror.publish/v1", Outcome: "diverged", Release: id, Files: 1204, Bytes: 38211044, Check: &check,
		Targets: []reports.PublishTarget{
			{Name: "bucket", Type: "s3", To: id, Add: 12, Change: 40, Delete: 3, Same: 1149, SentFiles: 52, SentBytes: 812345,
				Stage: reports.Millis(540100 * time.Microsecond), Commit: reports.Millis(31 * time.Millisecond), Committed: &at},
			{Name: "pages", Type: "git", To: id, Error: "refused"},
		},
	}
	plan := reports.Plan{Schema: "mirror.plan/v1", Release: id, Targets: []reports.PlanTarget{
		{Name: "bucket", Type: "s3", Add: []string{"a.html", "b\x1b.html"}, Change: []string{}, Delete: []string{"old.html"}, Same: 3, Bytes: 99},
	}}
	var text, js, planned bytes.Buffer
	for _, err := range []error{publish.Text(&text, reports.Style{}), reports.JSON(&js, publish), plan.Text(&planned, reports.Style{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "publish.txt", text.Bytes())
	golden(t, "publish.json", js.Bytes())
	golden(t, "plan.txt", planned.Bytes())
}

// TestNothingHostileIsPrintedRaw looks for control characters in what a terminal gets.
func TestNothingHostileIsPrintedRaw(t *testing.T) {
	var text bytes.Buffer
	if err := reports.CheckOf(verdict()).Text(&text, reports.Style{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\x07", "\r", "\u202e"} {
		if strings.Contains(text.String(), bad) {
			t.Errorf("%q is printed", bad)
		}
	}
	if strings.Contains(text.String(), "\nfake line") {
		t.Error("a line was forged")
	}
}

// TestCheckFields keeps the names that scripts rely on.
func TestCheckFields(t *testing.T) {
	text, err := json.Marshal(reports.CheckOf(nasty()))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, doc, "schema", "agree", "release", "pages", "started", "elapsed_ms", "origins", "drift", "sampled", "notes")
	origin := doc["origins"].([]any)[0].(map[string]any)
	wantKeys(t, origin, "name", "url", "state", "release", "pages", "match", "requests", "bytes", "elapsed_ms", "counts", "error",
		"tolerated", "noise", "trusted", "protocol", "tls", "hsts", "mixed_content", "own_host_links")
	wantKeys(t, origin["tls"].(map[string]any), "version", "expires", "days_left")
	wantKeys(t, doc["drift"].([]any)[0].(map[string]any), "origin", "path", "url", "kind", "want", "got", "status", "location", "release", "behind", "detail")
}

func wantKeys(t *testing.T, m map[string]any, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if _, ok := m[k]; !ok {
			t.Errorf("%q is missing", k)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0B", 1023: "1023B", 1024: "1.00KiB", 10 << 10: "10.0KiB", 1010 << 10: "1010KiB", 5 << 30: "5.00GiB"} {
		if got := humanize.Bytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
