package history_test

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

const checkInto = "MIRROR_TEST_CHECK_INTO"

// killsOfChecks is how often a process that runs checks is killed.
func killsOfChecks() int {
	switch {
	case os.Getenv("MIRROR_EXPERIMENT") == "full":
		return 200
	case testing.Short():
		return 20
	}
	return 60
}

// faults are what origin i shows in check n: kinds of drift, or that it is down.
func faults(n, i int) (found []diff.Kind, down bool) {
	r := rand.New(rand.NewPCG(uint64(n/3), uint64(i))) //nolint:gosec // no secret
	if r.IntN(5) == 0 {
		return nil, true
	}
	for _, kind := range []diff.Kind{diff.Stale, diff.Missing} {
		if r.IntN(3) == 0 {
			found = append(found, kind)
		}
	}
	return found, false
}

func faulty(n int) diff.Verdict {
	v := diff.Verdict{Release: "r1", Pages: 50, Started: minute(n), Elapsed: time.Second}
	for i, name := range []string{"a", "b", "c"} {
		o := diff.OriginVerdict{Name: name, Pages: 50, Match: 49}
		found, down := faults(n, i)
		if down {
			o.Err = errors.New("connection refused")
		}
		for _, kind := range found {
			o.Differences = append(o.Differences, diff.Difference{Path: fmt.Sprint(kind), Kind: kind})
		}
		v.Origins = append(v.Origins, o)
	}
	return v
}

// TestHelperCheck runs a job, slot after slot, until it is killed.
func TestHelperCheck(t *testing.T) {
	path := os.Getenv(checkInto)
	if path == "" {
		t.Skip("runs only as the other process of TestKilledWhileChecking")
	}
	s := open(t, path)
	if _, err := s.RecoverRuns(t.Context()); err != nil {
		t.Fatal(err)
	}
	last, ok, err := s.LastSlot(t.Context(), "drift")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if ok {
		n = int(last.Sub(minute(0))/time.Minute) + 1
	}
	for ; ; n++ {
		run := history.Run{Job: "drift", Slot: minute(n), Started: minute(n)}
		if begun, err := s.BeginRun(t.Context(), run); err != nil || !begun {
			t.Fatal(n, begun, err)
		}
		c, found := history.CheckOf(faulty(n))
		record(t, s, c, found)
		run.Outcome, run.Elapsed = "done", time.Second
		if err := s.EndRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Println("checked", n); err != nil {
			return
		}
	}
}

// TestKilledWhileChecking kills a process that runs checks at random moments: the file opens
// each time, what was done is there, no episode is lost or doubled, and the next slot runs.
func TestKilledWhileChecking(t *testing.T) {
	path, done, kills := place(t), map[int]bool{}, killsOfChecks()
	for round := range kills {
		for n := range killedRun(t, path) {
			done[n] = true
		}
		s := open(t, path)
		open, err := s.Episodes(t.Context(), history.EpisodeFilter{Open: true})
		if err != nil {
			t.Fatal(err)
		}
		if twice := slices.CompactFunc(slices.Clone(open), sameDrift); len(twice) != len(open) {
			t.Fatalf("an episode is open twice: %q", say(open))
		}
		if round%20 == 19 {
			wantConsistent(t, s, done, round+1)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	sound(t, path)
	t.Logf("%d kills, %d checks", kills, len(done))
}

func sameDrift(a, b history.Episode) bool { return a.Origin == b.Origin && a.Kind == b.Kind }

// killedRun runs the other process, kills it at a random moment and returns what it said that
// it had done.
func killedRun(t *testing.T, path string) map[int]bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestHelperCheck$")
	cmd.Env = append(os.Environ(), checkInto+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done, lines := map[int]bool{}, bufio.NewScanner(out)
	kill := time.AfterFunc(time.Hour, func() { _ = cmd.Process.Kill() })
	for lines.Scan() {
		var n int
		if _, err := fmt.Sscanf(lines.Text(), "checked %d", &n); err != nil {
			t.Errorf("it says %q", lines.Text())
		}
		if len(done) == 0 {
			kill.Reset(rand.N(25 * time.Millisecond))
		}
		done[n] = true
	}
	if err := cmd.Wait(); err == nil || len(done) == 0 {
		t.Fatal("it ended by itself:", err)
	}
	return done
}

// wantConsistent compares what is remembered with what the checks that are remembered say.
func wantConsistent(t *testing.T, s *history.Store, done map[int]bool, rounds int) {
	t.Helper()
	if _, err := s.RecoverRuns(t.Context()); err != nil {
		t.Fatal(err)
	}
	runs, err := s.Runs(t.Context(), history.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	checks, err := s.Checks(t.Context(), time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var there []int
	for _, c := range checks {
		there = append(there, int(c.Started.Sub(minute(0))/time.Minute))
	}
	slices.Sort(there)
	lost := 0
	for i, r := range runs { // the newest first
		n := len(runs) - 1 - i
		_, remembered := slices.BinarySearch(there, n)
		interrupted := r.Outcome == history.Interrupted
		if !r.Slot.Equal(minute(n)) || !interrupted && !remembered || done[n] && interrupted {
			t.Fatalf("run %d: got %+v, its check is remembered: %v", n, r, remembered)
		}
		lost += map[bool]int{true: 1}[interrupted]
	}
	if lost > rounds || len(slices.Compact(slices.Clone(there))) != len(there) || len(runs)-len(there) > lost {
		t.Fatalf("after %d kills: got %d runs, %d checks, %d interrupted", rounds, len(runs), len(there), lost)
	}
	wantEpisodesOf(t, s, there)
	days, err := s.Days(t.Context(), minute(0))
	counted := map[string]int{}
	for _, d := range days {
		counted[d.Origin] += d.Checks
	}
	if want := len(there); err != nil || counted["a"] != want || counted["b"] != want || counted["c"] != want {
		t.Fatalf("the days count %v checks, %v; want %d", counted, err, want)
	}
}

// wantEpisodesOf works out from the checks alone which episodes there are.
func wantEpisodesOf(t *testing.T, s *history.Store, checks []int) {
	t.Helper()
	var want []string
	for i, name := range []string{"a", "b", "c"} {
		for _, kind := range []diff.Kind{diff.Stale, diff.Missing, diff.Unreachable} {
			good, opened, seen := "?", -1, -1
			for _, n := range checks {
				found, down := faults(n, i)
				there := slices.Contains(found, kind) || down && kind == diff.Unreachable
				switch {
				case there && opened < 0:
					opened, seen = n, n
				case there:
					seen = n
				case !down && opened >= 0:
					want = append(want, fmt.Sprintf("%s %s %s-%d %d-%d", name, kind, good, opened, seen, n))
					opened = -1
				}
				if !down && opened < 0 {
					good = strconv.Itoa(n)
				}
			}
			if opened >= 0 {
				want = append(want, fmt.Sprintf("%s %s %s-%d %d-?", name, kind, good, opened, seen))
			}
		}
	}
	var got []string
	for _, line := range say(episodesOf(t, s)) {
		got = append(got, line[:strings.LastIndexByte(line, ' ')])
	}
	slices.SortFunc(got, cmp.Compare)
	slices.SortFunc(want, cmp.Compare)
	if !slices.Equal(got, want) {
		t.Fatalf("episodes of %d checks: got\n%q\nwant\n%q", len(checks), got, want)
	}
}
