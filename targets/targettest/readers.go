package targettest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mirror/site"
	"mirror/targets"
)

// readersDuringCommit reads pages while releases are committed. No page is ever missing
// or of no release; once the beacon is new, all is new; and a target that claims to be
// atomic never shows a page of the old release after one of the new.
func readersDuringCommit(t *testing.T, f Fixture) {
	const rounds, count = 3, 40
	tgt := f.Open(t, nil)
	mustPublish(t, tgt, pages(count, "round 0 "))
	for round := 1; round <= rounds; round++ {
		text := fmt.Sprintf("round %d ", round)
		rel := Release(pages(count, text))
		plan, err := tgt.Plan(t.Context(), rel)
		if err != nil {
			t.Fatal(err)
		}
		if err := tgt.Stage(t.Context(), rel, nil); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		seen := make(chan error, 1)
		go func() { seen <- readAlong(ctx, f, rel, text, f.Kind.Traits.Atomic) }()
		err = tgt.Commit(t.Context(), targets.Swap{From: plan.Live, To: rel.ID()})
		stop()
		if seen := <-seen; seen != nil {
			t.Errorf("round %d: %v", round, seen)
		}
		if err != nil {
			t.Fatal(err)
		}
		wantServed(t, f, tgt, pages(count, text))
	}
}

// readAlong reads until ctx ends: two pages in turn, the beacon between them.
func readAlong(ctx context.Context, f Fixture, rel *site.Release, text string, atomic bool) error {
	pair := [2]string{"index.html", "posts/01/0001.html"}
	for i := 0; ctx.Err() == nil; i++ {
		first, err := f.Read(pair[i%2])
		if err != nil {
			return err
		}
		beacon, err := f.Read(site.DefaultBeacon)
		if err != nil {
			return err
		}
		second, err := f.Read(pair[(i+1)%2])
		if err != nil {
			return err
		}
		if !strings.Contains(string(first), "round") || !strings.Contains(string(second), "round") {
			return fmt.Errorf("a page that belongs to no release: %q, %q", first, second)
		}
		isNew := strings.Contains(string(second), text)
		if strings.Contains(string(beacon), string(rel.ID())) && !isNew {
			return fmt.Errorf("the beacon is new and then %s is old", pair[(i+1)%2])
		}
		if atomic && strings.Contains(string(first), text) && !isNew {
			return fmt.Errorf("%s is new and then %s is old", pair[i%2], pair[(i+1)%2])
		}
	}
	return nil
}

// meter counts what Stage says, and calls onSent at the first thing sent.
type meter struct {
	onSent func()
}

// Expect does nothing.
func (m *meter) Expect(int, int64) {}

// Sent calls onSent.
func (m *meter) Sent(int, int64) {
	if m.onSent != nil {
		m.onSent()
	}
}
