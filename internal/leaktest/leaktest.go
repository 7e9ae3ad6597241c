// Package leaktest finds goroutines that a test's subject leaves running.
package leaktest

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// limit is how long the goroutines of a subject may take to end. Success ends the wait earlier.
const limit = 2 * time.Minute

var subjects atomic.Int64

// Run calls f. The function that it returns fails the test if a goroutine that f started, or that such a goroutine
// started, does not end. Goroutines of the test, of its servers and of other tests do not count: the number of all
// goroutines of a process would say nothing about the subject.
func Run(t testing.TB, f func()) (ended func()) {
	t.Helper()
	label := labelled(f)
	return func() {
		t.Helper()
		deadline := time.NewTimer(limit)
		defer deadline.Stop()
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for running := with(label); running != ""; running = with(label) {
			select {
			case <-ticker.C:
			case <-deadline.C:
				t.Fatalf("after %s these goroutines still run:\n%s", limit, running)
			}
		}
	}
}

// labelled calls f under a label of its own, which the goroutines that f starts inherit.
func labelled(f func()) (label string) {
	label = "leaktest-" + strconv.FormatInt(subjects.Add(1), 10)
	pprof.Do(context.Background(), pprof.Labels(label, ""), func(context.Context) { f() })
	return label
}

// with returns the stacks of the goroutines with a label.
func with(label string) string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return err.Error()
	}
	var found []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, `"`+label+`"`) {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}
