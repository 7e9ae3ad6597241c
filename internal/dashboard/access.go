package dashboard

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"mirror/diff"
	"mirror/internal/summary"
	"mirror/reports"
	"mirror/reports/html"
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
		d.show(w, r, http.StatusUnauthorized, html.Problem{Head: "The token is needed",
			Text: "Give any user name, and the daemon's token as the password."})
	}
}

// Withheld stands in place of what a command, a build or a target said, for those who have not
// shown the token.
const Withheld = "What it said is shown only with the daemon's token; \"mirror history\" has it too."

// withholding reads documents that hold what commands, builds and targets said only for
// requests that may see it.
type withholding struct{ summary.Reader }

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

// Overview tells how things stand.
func (r withholding) Overview(ctx context.Context, named []diff.OriginState, days int) (reports.Overview, error) {
	o, err := r.Reader.Overview(ctx, named, days)
	for _, check := range []*reports.HistoryCheck{o.Check, o.Latest} {
		if check != nil {
			withheld(ctx, &check.Error)
		}
	}
	return o, err
}

// LastCheck returns the latest check.
func (r withholding) LastCheck(ctx context.Context) (*reports.HistoryCheck, error) {
	check, err := r.Reader.LastCheck(ctx)
	if check != nil {
		withheld(ctx, &check.Error)
	}
	return check, err
}

// Checks lists checks.
func (r withholding) Checks(ctx context.Context, before int64, limit int) ([]reports.HistoryCheck, error) {
	all, err := r.Reader.Checks(ctx, before, limit)
	for i := range all {
		withheld(ctx, &all[i].Error)
	}
	return all, err
}

// Publishes lists publishes.
func (r withholding) Publishes(ctx context.Context, before int64, limit int) ([]reports.PeriodPublish, error) {
	all, err := r.Reader.Publishes(ctx, before, limit)
	for i := range all {
		withheld(ctx, &all[i].Error)
	}
	return all, err
}

// Publish returns one publish.
func (r withholding) Publish(ctx context.Context, id int64) (reports.PeriodPublish, bool, error) {
	p, ok, err := r.Reader.Publish(ctx, id)
	withheld(ctx, &p.Error)
	return p, ok, err
}

// Runs lists runs of jobs.
func (r withholding) Runs(ctx context.Context, f summary.RunFilter) ([]reports.LoggedRun, error) {
	all, err := r.Reader.Runs(ctx, f)
	for i := range all {
		withheld(ctx, &all[i].Error)
		if !isShown(ctx) {
			all[i].Log = ""
		}
	}
	return all, err
}
