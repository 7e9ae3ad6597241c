package watch

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// An origin of which every answer is a permanent failure (origin.Permanent), for so long and so
// often, is not waited for any longer.
const (
	hopelessAfter   = 5 * time.Second
	hopelessAnswers = 3
)

// trouble is what an origin last answered in place of the new pages.
type trouble struct {
	why       string
	permanent int       // answers in a row that were permanent failures
	since     time.Time // of the first of these
}

// note takes in an answer and what it counts as. The caller must hold mu.
func (w *Watch) note(name string, o site.Observation, side diff.Side) {
	t := w.trouble[name]
	why, permanent := origin.Permanent(o)
	switch {
	case !permanent:
		t.permanent, why = 0, said(o, side)
	case t.permanent == 0:
		t.permanent, t.since = 1, time.Now()
	default:
		t.permanent++
	}
	if side != diff.New {
		t.why = why
	}
	w.trouble[name] = t
}

// said tells what an answer was, where that was not the new page.
func said(o site.Observation, side diff.Side) string {
	to, away := origin.Away(o)
	switch {
	case o.Err != nil:
		return o.Err.Error()
	case away:
		return fmt.Sprintf("answers %d, away to %s://%s", o.Status, to.Scheme, to.Host)
	case o.Status != http.StatusOK:
		return fmt.Sprintf("answers %d", o.Status)
	case side == diff.Old:
		return "serves the pages of before"
	}
	return "serves other bytes"
}

// hopeless reports whether waiting for an origin cannot help, and is not asked for. The caller must hold mu.
func (w *Watch) hopeless(name string) bool {
	t := w.trouble[name]
	return w.options.GiveUp && t.permanent >= hopelessAnswers && time.Since(t.since) >= hopelessAfter
}

// isDown reports whether an answer says that nothing can be served at all now: there is none, or it is the
// error of a gateway whose server is down.
func isDown(status int, err error) bool {
	return err != nil && status == 0 || status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// statusOf is the status of an answer without a page, 0 where there was no answer.
func statusOf(err error) int {
	if e, ok := errors.AsType[*origin.StatusError](err); ok {
		return e.Status
	}
	return 0
}

// answered counts requests in a row that an origin did not answer.
func (w *Watch) answered(name string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ok {
		w.failed[name] = 0
		return
	}
	w.failed[name]++
}

func (w *Watch) failedInRow(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed[name]
}
