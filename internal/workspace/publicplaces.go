package workspace

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/globalping"
	"mirror/internal/netname"
	"mirror/internal/origin"
	"mirror/site"
)

// publicTimeout bounds how long the public places may take for all origins.
const publicTimeout = time.Minute

// askPublicPlaces adds to a verdict which release the beacon of each origin claims at public places. It changes no outcome: a claim
// is no proof, and the places read no pages.
func (w *Workspace) askPublicPlaces(ctx context.Context, v *diff.Verdict) {
	g := w.Config.Vantages.Globalping
	if !w.public || len(g.Places) == 0 || w.beacon() == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, publicTimeout)
	defer cancel()
	client := globalping.Client{API: g.API, HTTP: &http.Client{Transport: netname.Transport()}}
	if g.TokenEnv != "" {
		client.Token = w.options.Getenv(g.TokenEnv)
	}
	origins := w.Origins()
	states, notes := make([][]diff.PlaceState, len(origins)), make([]string, len(origins))
	var all sync.WaitGroup
	for i, at := range origins {
		all.Go(func() { states[i], notes[i] = w.publicViews(ctx, client, at, v.Release) })
	}
	all.Wait()
	for i, at := range origins {
		if n := slices.IndexFunc(v.Origins, func(o diff.OriginVerdict) bool { return o.Name == at.Name }); n >= 0 {
			v.Origins[n].Places = append(v.Origins[n].Places, states[i]...)
		}
		if notes[i] != "" {
			v.Notes = append(v.Notes, at.Name+": "+notes[i])
		}
	}
}

// publicViews is how the beacon of one origin stands at the places.
func (w *Workspace) publicViews(ctx context.Context, client globalping.Client, at origin.Endpoint, want site.ID) (states []diff.PlaceState, note string) {
	api := w.Config.Vantages.Globalping.API
	if at.Address != "" || netname.IsLoopback(at.URL.Hostname()) && (api == nil || !netname.IsLoopback(api.Hostname())) {
		return nil, "public places cannot reach it"
	}
	page, err := at.URL.Parse("./" + at.Style.URLPath(w.beacon()))
	if err != nil {
		return nil, err.Error()
	}
	answers, err := client.Get(ctx, page, w.Config.Vantages.Globalping.Places)
	if err != nil {
		return nil, err.Error()
	}
	other := 0
	for _, a := range answers {
		s := publicState(a, want)
		if s.State == diff.Drifts {
			other++
		}
		states = append(states, s)
	}
	if other > 0 {
		note = fmt.Sprintf("the beacon does not claim release %s at %d of %d public places", want.Short(), other, len(answers))
	}
	return states, note
}

// publicState is what one place got in place of pages: the claim of the beacon.
func publicState(a globalping.Answer, want site.ID) diff.PlaceState {
	s := diff.PlaceState{Name: "globalping: " + a.Place, State: diff.CannotBeSeen, Err: a.Err, Requests: 1}
	if a.Err != "" {
		return s
	}
	b, err := site.ParseBeacon(a.Body)
	switch {
	case a.Status != http.StatusOK:
		s.Err = fmt.Sprintf("the beacon answers %d", a.Status)
	case err != nil:
		s.Err = "the beacon cannot be read"
	case b.Release == want:
		s.State = diff.Agrees
	default:
		s.State, s.Err = diff.Drifts, "the beacon claims release "+b.Release.Short()
	}
	if age := a.Header["age"]; age != "" && s.State == diff.Drifts {
		s.Err += fmt.Sprintf(", from a cache, %s s old", age)
	}
	return s
}

// withPublicPlaces has the checks in do ask public places, too, where the config names some.
func (w *Workspace) withPublicPlaces(do func() error) error {
	if u := w.options.Untrusted; u != nil && u.On {
		return usage(errors.New("a config that is not trusted may not use public places"))
	}
	w.public = true
	defer func() { w.public = false }()
	return do()
}
