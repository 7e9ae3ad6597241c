package labagents_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/lab"
	"mirror/internal/labagents"
	"mirror/internal/longtest"
	"mirror/internal/origin"
	"mirror/internal/vantage"
	"mirror/internal/vantage/broker"
	"mirror/site"
)

// TestAStuckPlaceIsFound has the cache of one of two places keep an old page of a bucket.
func TestAStuckPlaceIsFound(t *testing.T) {
	longtest.Skip(t, "waits for a place that is stuck")
	t.Parallel()
	quiet := slog.New(slog.DiscardHandler)
	l, err := lab.Start(t.Context(), lab.Options{ContentType: site.ContentType})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	agents, err := labagents.Start(t.Context(), l, dir, 2, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer agents.Close()
	hub, err := broker.Open(t.Context(), broker.HubOptions{Dir: filepath.Join(dir, ".mirror", "vantages"), Listen: agents.Listen, Owner: "test", Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	u, err := url.Parse(l.S3.URL)
	if err != nil {
		t.Fatal(err)
	}
	at := []origin.Endpoint{{Name: "s3", URL: u, Options: origin.Options{Concurrency: 2, Timeout: time.Minute}}}
	places := &vantage.Places{Bus: hub, Mode: vantage.Each, Timeout: 3 * time.Minute, Log: quiet, NewID: rand.Text}
	look := func(text string) diff.OriginVerdict {
		if err := l.S3.Edit(context.WithoutCancel(t.Context()), map[string][]byte{"a.html": []byte(text)}); err != nil {
			t.Fatal(err)
		}
		m := site.Manifest{{Path: "a.html", Size: int64(len(text)), Digest: sha256.Sum256([]byte(text))}}
		views, err := places.Look(t.Context(), at, check.Options{Manifest: m})
		if err != nil {
			t.Fatal(err)
		}
		return views.Join(diff.Verdict{}, at, nil, 1).Origins[0]
	}
	if o := look("<p>one"); o.Match != 1 || len(o.Places) != 2 {
		t.Fatalf("got %+v", o)
	}
	agents.Places[1].Stick(true)
	if o := look("<p>two"); o.Match != 0 || len(o.Differences) != 1 || !slices.Equal(o.Differences[0].Places, []string{"fra"}) {
		t.Errorf("a stuck cache: got %+v", o)
	}
	agents.Places[1].Stick(false)
	if o := look("<p>two"); o.Match != 1 {
		t.Errorf("the cache follows again: got %+v", o)
	}
}
