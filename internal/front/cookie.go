package front

import (
	"net/http"
	"strconv"
	"time"
)

// cookieName is the cookie with the sequence of the release that a visitor has seen.
const cookieName = "mirror_release"

// cookieTime is for how long a browser keeps it: two fronts are never that far apart.
const cookieTime = time.Minute

// Bounds of what a visitor's cookie makes a front do.
const (
	behindTime  = time.Second            // that the visitor waits at most, unless Options.Behind says other
	cookieLooks = 500 * time.Millisecond // between two looks for the sake of cookies
)

// catchUp returns the edition to answer with. A visitor who comes from a front that has moved already is
// made to wait for a moment, while this one looks at its origins. What the cookie says is never believed.
func (f *Front) catchUp(r *http.Request, e *edition) *edition {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return e
	}
	seen, err := strconv.ParseInt(c.Value, 10, 64)
	if err != nil || seen <= e.sequence {
		return e
	}
	f.lookForCookie()
	timer := time.NewTimer(f.options.Behind)
	defer timer.Stop()
	for {
		now, moved := f.serving()
		if now.sequence >= seen {
			return now
		}
		select {
		case <-moved:
		case <-timer.C:
			return now
		case <-r.Context().Done():
			return now
		}
	}
}

// lookForCookie looks at all origins, unless that was done just now.
func (f *Front) lookForCookie() {
	now := int64(time.Since(f.began))
	last := f.looked.Load()
	if last != 0 && now-last < int64(cookieLooks) || !f.looked.CompareAndSwap(last, now) {
		return
	}
	for i := range f.watchers {
		f.kick(i)
	}
}

// setCookie has the visitor's browser remember the release, unless it does.
func setCookie(w http.ResponseWriter, r *http.Request, e *edition) {
	value := strconv.FormatInt(e.sequence, 10)
	if c, err := r.Cookie(cookieName); err == nil && c.Value == value {
		return
	}
	c := &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: int(cookieTime / time.Second), HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	}
	w.Header().Set("Set-Cookie", c.String()) // in place of that of an earlier release, which could not be served
}
