package dashboard

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// How often work may be asked for.
const (
	workEvery = 10 * time.Second
	workBurst = 3
)

// starter starts work for requests that have the token.
type starter struct {
	options Options
	access  *access
	work    *rate.Limiter
	foreign *http.CrossOriginProtection
}

func newStarter(o Options, a *access) *starter {
	return &starter{
		options: o, access: a, foreign: http.NewCrossOriginProtection(),
		work: rate.NewLimiter(rate.Every(workEvery), workBurst),
	}
}

// work reads what a request asks for, and returns what starts that. The error says what is wrong with the request.
type work func(r *http.Request) (start func(ctx context.Context) error, err error)

// of answers for one kind of work, nil for none. Without a token there is nothing here.
func (s *starter) of(ask work) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.options.Token == "" || ask == nil:
			answer(w, http.StatusNotFound, refusal{"There is nothing at " + r.URL.Path + "."})
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			answer(w, http.StatusMethodNotAllowed, refusal{"This is for POST."})
		case s.foreign.Check(r) != nil:
			answer(w, http.StatusForbidden, refusal{"Pages of other sites may not ask for this."})
		case s.admit(w, r):
			s.start(w, r, ask)
		}
	})
}

// admit reports whether the token is right; else it has answered. While there were too many
// wrong ones, none is looked at.
func (s *starter) admit(w http.ResponseWriter, r *http.Request) bool {
	if s.access.spent() {
		tooMany(w, wrongEvery)
		return false
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && s.access.matches(token) {
		return true
	}
	// RFC 6750, section 3: an error is named only to those who tried.
	challenge := `Bearer realm="mirror"`
	if token != "" {
		s.access.wrong.AllowN(s.options.Now(), 1)
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	answer(w, http.StatusUnauthorized, refusal{"A bearer token is needed, and it has to be the right one."})
	return false
}

func (s *starter) start(w http.ResponseWriter, r *http.Request, ask work) {
	start, err := ask(r)
	if err != nil {
		answer(w, http.StatusBadRequest, refusal{"The request is not valid: " + err.Error() + "."})
		return
	}
	if !s.work.AllowN(s.options.Now(), 1) {
		tooMany(w, workEvery)
		return
	}
	// The work goes on when the client has gone.
	err = start(context.WithoutCancel(r.Context()))
	switch {
	case err == nil:
		answer(w, http.StatusAccepted, accepted{true})
	case errors.Is(err, ErrBusy):
		answer(w, http.StatusConflict, refusal{"It is running already."})
	default:
		s.options.Log.Error("work that was asked for did not begin", "path", r.URL.Path, "err", err)
		answer(w, http.StatusServiceUnavailable, refusal{"It could not begin; the daemon's log says why."})
	}
}

// accepted is the document of work that began.
type accepted struct {
	Accepted bool `json:"accepted"`
}
