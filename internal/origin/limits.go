package origin

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"mirror/site"
)

// An origin limits requests by 429, or by 503 or 403. A page that is refused in this way is asked
// for again, more slowly, until it is answered. These are bounds, in timeouts of an answer:
const (
	// maxRefusals is for how long an origin may give nothing but refusals, maxRefusals429 where
	// they are 429 and it has answered before: limits of so many requests a minute are common.
	maxRefusals, maxRefusals429 = 3, 8
	// maxHeld is for how long an origin may ask by Retry-After to be left alone, over all times.
	maxHeld = 6
	// maxLimited is how long it may take in all from the first refusal on.
	maxLimited = 60
)

const (
	// ownRefusals is how often a page has to be refused, while other pages are not, before that is
	// taken for its own answer. suspectPause is the pause before the first repetition.
	ownRefusals  = 3
	suspectPause = 250 * time.Millisecond
	// maxTold is how often one page may be refused with the time when to ask again.
	maxTold = 5
	// maxTooLong is how many pages in a row may be refused for longer than a check waits.
	maxTooLong = 8
)

// limits is what a client knows of the refusals of its origin.
type limits struct {
	probing chan struct{} // held by who asks for the control

	mu       sync.Mutex
	control  *Page     // a page that was served, to be asked for again where others are refused
	served   time.Time // when the latest request was sent that was not refused
	since    time.Time // when the first refusal came after that, zero for none
	began    time.Time // when the first refusal of all came, zero for none
	held     time.Duration
	tooLong  int  // refusals in a row that ask for more time than there is
	own      int  // pages whose refusal turned out to be their own, since a limit was met last
	in403    int  // answers in a row that were 403
	by403    bool // the origin limits requests by 403
	refused  int
	answers  int // since began
	status   int // of the latest refusal
	exceeded error
}

// Limited is what a client has seen of a limit.
type Limited struct {
	Refused int     // requests that were refused and asked again
	Status  int     // of the latest
	Rate    float64 // requests a second that were answered since the first
	// Exceeded is why the origin is not asked any further, nil while it is.
	Exceeded error
}

// met reports whether the origin has limited requests.
func (l *limits) met() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused > 0
}

// rate is how many requests a second the origin has answered since it first refused one. The
// caller must hold mu.
func (l *limits) rate() float64 {
	if l.began.IsZero() {
		return 0
	}
	return float64(l.answers) / max(time.Since(l.began).Seconds(), 1)
}

// refuses reports whether an answer may be one by which the origin limits requests.
func (l *limits) refuses(o site.Observation) bool {
	switch o.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	case http.StatusForbidden:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.control != nil
	}
	return false
}

// answered takes in an answer that is no refusal.
func (l *limits) answered(p Page, o site.Observation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if (o.Status == http.StatusOK || o.Status == http.StatusNotModified) && o.Err == nil && (l.control == nil || p.Size < l.control.Size) {
		l.control = &Page{Path: p.Path, URL: p.URL, Size: p.Size, BypassCache: p.BypassCache}
	}
	if !l.began.IsZero() {
		l.answers++
	}
	l.in403, l.tooLong = 0, 0
	if o.Asked.After(l.served) {
		l.served = o.Asked
	}
	if !o.Asked.Before(l.since) {
		l.since = time.Time{}
	}
}

// note counts a refusal.
func (l *limits) note(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.began.IsZero() {
		l.began = time.Now()
	}
	l.refused, l.status = l.refused+1, status
}

// worthProbing reports whether a refusal may be more than the page's own. A bucket answers 403
// for each file that it does not have: once that is known, only many in a row are suspicious.
func (l *limits) worthProbing(status int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if status != http.StatusForbidden || l.by403 {
		return true
	}
	l.in403++
	return l.own == 0 || l.in403 >= 4 && l.in403&(l.in403-1) == 0
}

// suspect reports whether a page that was refused so often while others were served may still be
// refused by a limit, and is worth another try after a pause. It takes less to be sure when pages
// before it turned out to be refused for themselves.
func (l *limits) suspect(status, times int) (pause time.Duration, again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case status == http.StatusForbidden && !l.by403, times+l.own >= ownRefusals:
		l.own++
		return 0, false
	case l.refused == 0 && status != http.StatusTooManyRequests: // no limit was met so far
		return 0, true
	}
	return suspectPause << (times - 1), true
}

// refuse takes in a refusal by which the origin limits requests, and holds all requests back for
// as long as it asks. The error says why the page is not asked for again.
func (l *limits) refuse(ctx context.Context, o site.Observation, wait, timeout time.Duration, pace *Pace) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.began.IsZero() {
		l.began = now
	}
	if l.since.IsZero() {
		l.since = now
	}
	l.own, l.refused, l.status = 0, l.refused+1, o.Status
	l.by403 = l.by403 || o.Status == http.StatusForbidden
	if l.exceeded == nil {
		l.exceeded = l.bound(now, timeout)
	}
	if l.exceeded != nil {
		return l.exceeded
	}
	deadline, bounded := ctx.Deadline()
	if wait > maxHeld*timeout || bounded && time.Until(deadline) < wait {
		err := fail(Busy, fmt.Sprintf("answered %d and asks to be left alone for %s (hint: try later, or lower check.rate)", o.Status, wait), nil)
		if l.tooLong++; l.tooLong >= maxTooLong {
			l.exceeded = err
		}
		return err
	}
	pace.Refused(o.Asked, 0)
	more, ok := pace.Hold(wait, maxHeld*timeout-l.held)
	if !ok {
		l.exceeded = fail(Busy, fmt.Sprintf("the origin limits requests: it answered %d and asked to be left alone for more than %s in all (%s)", o.Status, maxHeld*timeout, l.hint()), nil)
		return l.exceeded
	}
	l.held += more
	return nil
}

// still is the error of a limit that has lasted for too long.
func (l *limits) still(timeout time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.exceeded == nil && !l.since.IsZero() {
		l.exceeded = l.bound(time.Now(), timeout)
	}
	return l.exceeded
}

// bound is the error of a limit that is not worth waiting for any more. The caller must hold mu.
func (l *limits) bound(now time.Time, timeout time.Duration) error {
	most := maxRefusals * timeout
	if l.status == http.StatusTooManyRequests && l.control != nil {
		most = maxRefusals429 * timeout
	}
	switch {
	case now.Sub(l.since) >= most:
		return fail(Busy, fmt.Sprintf("the origin limits requests: it answered nothing but %d for %s, however slowly it was asked (%s)", l.status, now.Sub(l.since).Round(time.Second), l.hint()), nil)
	case now.Sub(l.began) >= maxLimited*timeout:
		return fail(Busy, fmt.Sprintf("the origin limits requests: it refused %d of them with %d in %s (%s)", l.refused, l.status, now.Sub(l.began).Round(time.Second), l.hint()), nil)
	}
	return nil
}

// hint names the setting. The caller must hold mu.
func (l *limits) hint() string {
	if l.answers == 0 {
		return "hint: try later, or lower check.rate"
	}
	return "hint: set check.rate to " + RateText(l.rate()) + " or lower"
}

// RateText is a number of requests a second for people, rounded down.
func RateText(rate float64) string {
	if rate >= 1 {
		return strconv.Itoa(int(rate))
	}
	return strconv.FormatFloat(max(0.1, math.Floor(rate*10)/10), 'f', -1, 64)
}
