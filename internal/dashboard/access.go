package dashboard

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"mirror/internal/history"
)

// access knows the token, and bounds how often a wrong one may be tried.
type access struct {
	token [sha256.Size]byte
	none  bool // there is no token: nobody has it
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

// login has a browser ask for the token, which it then sends with each request for a page.
// Starting something needs a bearer token nevertheless: no page of another site can send one.
func (d *Dashboard) login(w http.ResponseWriter, r *http.Request) {
	switch {
	case d.access.none:
		d.fail(w, r, errNotFound)
	case isShown(r.Context()):
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case d.access.spent():
		tooMany(w, wrongEvery)
	default:
		w.Header().Set("WWW-Authenticate", `Basic realm="mirror: the password is the token", charset="UTF-8"`)
		d.show(w, r, http.StatusUnauthorized, "error", "The token is needed", problem{"The token is needed",
			"Give any user name, and the daemon's token as the password."})
	}
}

// Withheld stands in place of what a command, a build or a target said, for those who have not
// shown the token.
const Withheld = "What it said is shown only with the daemon's token; \"mirror history\" has it too."

// withholding is a source that gives what commands, builds and targets said only to requests
// that may see it.
type withholding struct{ Source }

func withheld(ctx context.Context, texts ...*string) {
	if isShown(ctx) {
		return
	}
	for _, text := range texts {
		if *text != "" {
			*text = Withheld
		}
	}
}

// LastCheck returns the latest check.
func (s withholding) LastCheck(ctx context.Context) (history.Check, bool, error) {
	check, ok, err := s.Source.LastCheck(ctx)
	withheld(ctx, &check.Err)
	return check, ok, err
}

// ChecksBefore lists checks.
func (s withholding) ChecksBefore(ctx context.Context, before int64, limit int) ([]history.Check, error) {
	all, err := s.Source.ChecksBefore(ctx, before, limit)
	for i := range all {
		withheld(ctx, &all[i].Err)
	}
	return all, err
}

// PublishesBefore lists publishes.
func (s withholding) PublishesBefore(ctx context.Context, before int64, limit int) ([]history.Publish, error) {
	all, err := s.Source.PublishesBefore(ctx, before, limit)
	for i := range all {
		withheld(ctx, &all[i].Err)
	}
	return all, err
}

// Publish returns one publish.
func (s withholding) Publish(ctx context.Context, id int64) (history.Publish, bool, error) {
	p, ok, err := s.Source.Publish(ctx, id)
	withheld(ctx, &p.Err)
	return p, ok, err
}

// Runs lists runs of jobs.
func (s withholding) Runs(ctx context.Context, f history.RunFilter) ([]history.Run, error) {
	all, err := s.Source.Runs(ctx, f)
	for i := range all {
		withheld(ctx, &all[i].Err)
		if !isShown(ctx) {
			all[i].Log = ""
		}
	}
	return all, err
}
