package history_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

func TestPublishesComeBackAsTheyWere(t *testing.T) {
	s := open(t, place(t))
	w := diff.Window{Closed: true, Lower: 3, Upper: 5, Pages: 2, Fresh: []diff.Freshness{{T: 1, P: 0.5}}, Origins: []diff.OriginWindow{
		{Name: "a", FirstNew: diff.Bounds{After: minute(1), Before: minute(2)}, Polls: 7, Open: slices.Repeat([]string{"x"}, 500)},
	}}
	p := history.Publish{Job: "nightly", Started: minute(1), Elapsed: time.Second, Outcome: "live", Release: "r1", Previous: "r0", Files: 3, Sent: 9, Window: &w,
		Details: history.PublishDetails{Reason: "b: 1 difference", Targets: []history.PublishTarget{{Name: "a", Type: "dir", From: "r0", To: "r1", Add: 1, Stage: 5, Committed: minute(2)}}}}
	for _, one := range []history.Publish{p, {Started: minute(2), Outcome: "failed", Err: "refused"}} {
		if _, err := s.RecordPublish(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	got, ok, err := s.Publish(t.Context(), 1)
	if err != nil || !ok || len(got.Window.Origins[0].Open) != 100 {
		t.Fatalf("got %+v, %v, %v; want it, with not too many pages", got, ok, err)
	}
	p.ID, w.Origins[0].Open, got.Window.Origins[0].Open = 1, nil, nil
	if !reflect.DeepEqual(got, p) {
		t.Errorf("got %+v\nwant %+v", got, p)
	}
	if last, ok, err := s.LastPublish(t.Context()); err != nil || !ok || last.ID != 2 || last.Window != nil {
		t.Errorf("got %+v, %v, %v", last, ok, err)
	}
	for want, list := range map[string]func() ([]history.Publish, error){
		"21": func() ([]history.Publish, error) { return s.Publishes(t.Context(), time.Time{}, 0) },
		"2":  func() ([]history.Publish, error) { return s.Publishes(t.Context(), minute(2), 0) },
		"1":  func() ([]history.Publish, error) { return s.PublishesBefore(t.Context(), 2, 5) },
	} {
		all, err := list()
		ids := ""
		for _, p := range all {
			ids += fmt.Sprint(p.ID)
		}
		if err != nil || ids != want {
			t.Errorf("got %q, %v; want %q", ids, err, want)
		}
	}
}

func TestASlotBeginsOnce(t *testing.T) {
	path := place(t)
	s, other := open(t, path), open(t, path)
	r := history.Run{Job: "drift", Slot: minute(0), Started: minute(1)}
	for i, store := range []*history.Store{s, other, s} {
		if begun, err := store.BeginRun(t.Context(), r); err != nil || begun != (i == 0) {
			t.Errorf("%d: got %v, %v", i, begun, err)
		}
	}
	asked := history.Run{Job: "drift", Slot: minute(5), Started: minute(5), Triggered: true}
	if begun, err := s.BeginRun(t.Context(), asked); err != nil || !begun {
		t.Errorf("got %v, %v", begun, err)
	}
	if slot, ok, err := s.LastSlot(t.Context(), "drift"); err != nil || !ok || !slot.Equal(minute(0)) {
		t.Errorf("got %v, %v, %v; what was triggered is no slot", slot, ok, err)
	}
	if last, ok, err := s.LastRun(t.Context(), "drift"); err != nil || !ok || !reflect.DeepEqual(last, asked) {
		t.Errorf("got %+v, %v, %v", last, ok, err)
	}
	for _, end := range []history.Run{{Outcome: "done"}, {Elapsed: 3, Err: "e", Log: "one\n"}} {
		end.Job, end.Slot = r.Job, r.Slot
		if err := s.EndRun(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	interrupted, err := s.RecoverRuns(t.Context())
	if err != nil || len(interrupted) != 1 || !interrupted[0].Triggered || interrupted[0].Outcome != history.Interrupted {
		t.Errorf("got %+v, %v", interrupted, err)
	}
	want := history.Run{Job: "drift", Slot: minute(0), Started: minute(1), Outcome: "done", Elapsed: 3, Err: "e", Log: "one\n"}
	if all, err := s.Runs(t.Context(), history.RunFilter{Job: "drift", Before: minute(5)}); err != nil || len(all) != 1 || !reflect.DeepEqual(all[0], want) {
		t.Errorf("got %+v, %v; want %+v", all, err, want)
	}
	if all, err := s.Runs(t.Context(), history.RunFilter{Limit: 1}); err != nil || len(all) != 1 || all[0].Outcome != history.Interrupted {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestALogKeepsItsEnd(t *testing.T) {
	s := open(t, place(t))
	r := history.Run{Job: "b", Slot: minute(0), Started: minute(0)}
	if _, err := s.BeginRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&log, "line %d\n", i)
	}
	r.Log = log.String()
	if err := s.EndRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	got, _, err := s.LastRun(t.Context(), "b")
	if n := len(got.Log); err != nil || n > 64<<10 || n < 60<<10 || got.Log[:5] != "line " || got.Log[n-11:] != "line 19999\n" {
		t.Errorf("got %d bytes, %q…, %v", n, got.Log[:min(n, 20)], err)
	}
}

func TestSent(t *testing.T) {
	s := open(t, place(t))
	told := func(want bool) {
		t.Helper()
		if got, err := s.Sent(t.Context(), "slack/1/opened"); err != nil || got != want {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	told(false)
	for _, failure := range []error{errors.New("refused"), nil, errors.New("again")} {
		if err := s.RecordSent(t.Context(), "slack/1/opened", minute(0), failure); err != nil {
			t.Fatal(err)
		}
		told(failure == nil || failure.Error() == "again")
	}
}
