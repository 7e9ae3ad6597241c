package dashboard

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// How often wrong tokens may be tried, so that none is found.
const (
	wrongEvery = time.Second
	wrongBurst = 10
)

// access knows the token, and bounds how often a wrong one may be tried.
type access struct {
	token [sha256.Size]byte
	none  bool // no token is configured
	wrong *rate.Limiter
	now   func() time.Time
}

func newAccess(o Options) *access {
	return &access{token: sha256.Sum256([]byte(o.Token)), none: o.Token == "", wrong: rate.NewLimiter(rate.Every(wrongEvery), wrongBurst), now: o.Now}
}

// matches reports whether a text is the token, in a time that does not depend on where it
// differs.
func (a *access) matches(text string) bool {
	sum := sha256.Sum256([]byte(strings.TrimSpace(text)))
	return subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1 && !a.none
}

// spent reports whether there were too many wrong tokens lately: then none is looked at.
func (a *access) spent() bool { return a.wrong.TokensAt(a.now()) < 1 }

// shown reports whether a request may see what commands and targets said: it has the token, as
// a bearer token or, for browsers, as the password of basic authentication.
func (a *access) shown(r *http.Request) bool {
	header := r.Header.Get("Authorization")
	if a.none || header == "" || a.spent() {
		return false
	}
	scheme, token, _ := strings.Cut(header, " ")
	if _, password, ok := r.BasicAuth(); ok {
		token = password
	} else if !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	if a.matches(token) {
		return true
	}
	a.wrong.AllowN(a.now(), 1)
	return false
}

type shownKey struct{}

// seeing notes in a request's context whether it may see what commands and targets said.
func (a *access) seeing(r *http.Request) *http.Request {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	return r.WithContext(context.WithValue(r.Context(), shownKey{}, reads && a.shown(r)))
}

func isShown(ctx context.Context) bool {
	shown, _ := ctx.Value(shownKey{}).(bool)
	return shown
}
