package broker

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/vantage"
)

// TestStaleItemsAreDropped leaves items of a coordinator that was killed: the next one withdraws them, and
// the broker holds a bounded number of each check.
func TestStaleItemsAreDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, nil)
	w.coordinate()
	w.agent("fra")
	w.stop["fra"]() // it is away while items are queued
	if _, err := w.bus.Agents(t.Context()); err != nil {
		t.Fatal(err)
	}
	for part := range 3 * maxItems {
		item := vantage.Item{Kind: vantage.KindItem, Protocol: vantage.Protocol, Place: "fra", Check: fmt.Sprint("old-", part%2), Part: part, Limit: time.Hour}
		w.send(item)
	}
	queued := func() uint64 {
		stream, err := w.bus.js.Stream(t.Context(), workStream)
		if err != nil {
			t.Fatal(err)
		}
		info, err := stream.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return info.State.Msgs
	}
	if n := queued(); n == 0 || n > 2*maxItems {
		t.Errorf("%d items are queued, want some and at most %d", n, 2*maxItems)
	}
	w.bus.Close()
	w.coordinate()
	if n := queued(); n != 0 {
		t.Errorf("%d items of a coordinator that was killed are still queued", n)
	}
}

// TestAgentsOfAnotherVersionAreNamed has an agent say that it speaks later versions of the protocol only.
func TestAgentsOfAnotherVersionAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, nil)
	w.coordinate()
	w.agent("fra")
	w.stop["fra"]()
	h := w.thief("fra")
	hello, err := json.Marshal(vantage.Hello{Oldest: vantage.Protocol + 1, Newest: vantage.Protocol + 3, Version: "9.0", Boot: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.conn.Publish("mirror.hello.fra", hello); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; {
		all, err := w.bus.Agents(t.Context())
		if err != nil || time.Now().After(end) {
			t.Fatalf("it is not heard: %+v, %v", all, err)
		}
		if all[0].Hello.Version == "9.0" {
			break
		}
		if err := h.conn.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	seen, err := w.places(vantage.Each).Look(t.Context(), w.origins, w.look)
	if err != nil {
		t.Fatal(err)
	}
	v := seen.Join(diff.Verdict{}, w.origins, nil, 1)
	if notes := strings.Join(v.Notes, ""); !strings.Contains(notes, "place fra is missing: its agent speaks versions 3 to 5 of the protocol, this program 1 to 2") {
		t.Errorf("got %q", notes)
	}
}
