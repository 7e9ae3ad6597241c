package workspace

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/internal/vantage"
	"mirror/internal/vantage/broker"
	"mirror/internal/vantage/windows"
)

// Places look at the origins from other machines.
type Places interface {
	// Look ends within its own timeout, and when ctx does. What is missing by then is in the views.
	Look(ctx context.Context, origins []origin.Endpoint, look check.Options) (vantage.Views, error)
	// Windows watches a change.
	Windows() *windows.Places
}

// agents look and watch through one broker.
type agents struct {
	*vantage.Places
	windows *windows.Places
	hub     *broker.Hub
}

// Windows watches a change.
func (a agents) Windows() *windows.Places { return a.windows }

// LookFrom has checks look from other places, too; nil for from here alone.
func (w *Workspace) LookFrom(p Places) { w.options.Places = p }

// placesDir is where the places are kept.
func (w *Workspace) placesDir() string { return filepath.Join(w.State.Dir(), "vantages") }

var errNoVantages = errors.New("the config has no vantages (hint: vantages: {listen: \"127.0.0.1:4222\"})")

// OpenPlaces reaches the agents of the config, and runs the server for them where no daemon does. once is
// for a single check. Close it after use.
func (w *Workspace) OpenPlaces(ctx context.Context, once bool, log *slog.Logger) (Places, io.Closer, error) {
	v := w.Config.Vantages
	switch {
	case !v.On():
		return nil, nil, usage(fmt.Errorf("%s: %w", w.Config.File, errNoVantages))
	case w.options.Untrusted != nil && w.options.Untrusted.On:
		return nil, nil, usage(errors.New("a config that is not trusted may not use agents"))
	}
	owner, err := w.State.Owner()
	if err != nil {
		w.options.Warnings.Add("this run has a name of its own for agents: %v", err)
	}
	if once {
		owner += "-" + rand.Text()[:8]
	}
	o := broker.HubOptions{Dir: w.placesDir(), Listen: v.Listen, Credentials: v.Credentials, Owner: owner, Transient: once, Log: log}
	if v.NATS != "" {
		o.Listen, o.URL = "", v.NATS
	}
	hub, err := broker.Open(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("vantages: %w", err)
	}
	if at := hub.Address(); at != "" {
		log.Info("agents may connect", "at", at)
	}
	return agents{
		&vantage.Places{Bus: hub, Mode: vantage.Mode(v.Mode), Timeout: v.Timeout, Log: log, NewID: rand.Text},
		&windows.Places{Bus: hub, NewID: rand.Text, Since: time.Now()},
		hub,
	}, hub, nil
}

// noAgents says that no other place looked.
const noAgents = "no agent is enrolled, so the origins were read from here alone (hint: mirror agent enroll --place NAME prints the line that starts one)"

// look reads the origins from here and, where there are agents, from their places. That the places cannot
// be reached is a note: what is seen from here stands.
func (w *Workspace) look(ctx context.Context, look check.Options, patience time.Duration) (diff.Verdict, error) {
	origins, places := w.Origins(), w.options.Places
	if places == nil {
		return check.Await(ctx, origins, look, patience)
	}
	if w.Config.Vantages.Mode == string(vantage.Spread) {
		return w.lookShared(ctx, origins, look, patience)
	}
	var views vantage.Views
	var missing error
	var all sync.WaitGroup
	elsewhere := func() { views, missing = places.Look(ctx, origins, look) }
	if patience <= 0 {
		all.Go(elsewhere)
	}
	here, err := check.Await(ctx, origins, look, patience)
	all.Wait()
	if err != nil {
		return here, err
	}
	if patience > 0 {
		elsewhere()
	}
	switch {
	case missing != nil:
		here.Notes = append(here.Notes, fmt.Sprintf("the places cannot be reached: %v", missing))
	case here.Release != look.Release && len(views.Views) > 0:
		here.Notes = append(here.Notes, "another release went live during the check, so what the places saw is not compared with it")
	case len(views.Views) == 0:
		here.Notes = append(here.Notes, noAgents)
	default:
		w.nameReleases(ctx, look, views)
		own := diff.PlaceView{Place: vantage.Here, Origins: here.Origins}
		return w.joined(here, views, &own), nil
	}
	return here, nil
}

// lookShared has the agents share the pages. Where there is no agent the origins are read from here.
func (w *Workspace) lookShared(ctx context.Context, origins []origin.Endpoint, look check.Options, patience time.Duration) (diff.Verdict, error) {
	began := time.Now()
	views, err := w.options.Places.Look(ctx, origins, look)
	if ctx.Err() != nil {
		return diff.Verdict{}, ctx.Err()
	}
	seen := slices.ContainsFunc(views.Views, func(v diff.PlaceView) bool { return len(v.Origins) > 0 })
	if err != nil || !seen {
		here, failed := check.Await(ctx, origins, look, patience)
		if err != nil {
			here.Notes = append(here.Notes, fmt.Sprintf("the places cannot be reached, so the origins were read from here: %v", err))
		}
		if err == nil && len(views.Views) == 0 {
			here.Notes = append(here.Notes, noAgents)
		}
		for _, v := range views.Views {
			here.Notes = append(here.Notes, fmt.Sprintf("place %s is missing: %s", v.Place, v.Missing))
		}
		return here, failed
	}
	w.nameReleases(ctx, look, views)
	base := diff.Verdict{Release: look.Release, Pages: len(look.Manifest), Started: began}
	if look.Sample > 0 && look.Sample < base.Pages {
		base.Sampled = look.Sample
	}
	v := w.joined(base, views, nil)
	v.Elapsed = time.Since(began)
	return v, nil
}

// nameReleases says of what the places saw of which earlier release it is: only here that is known.
func (w *Workspace) nameReleases(ctx context.Context, look check.Options, views vantage.Views) {
	var all []diff.OriginVerdict
	for _, v := range views.Views {
		all = append(all, v.Origins...)
	}
	check.NameReleases(ctx, look, all)
	for i := range views.Views {
		n := len(views.Views[i].Origins)
		views.Views[i].Origins, all = all[:n:n], all[n:]
	}
}

func (w *Workspace) joined(base diff.Verdict, views vantage.Views, here *diff.PlaceView) diff.Verdict {
	v := views.Join(base, w.Origins(), here, w.Config.Vantages.Quorum)
	v.Elapsed = max(v.Elapsed, time.Since(base.Started))
	return v
}

// Invite makes a place for an agent, and returns the line that enrols it on its machine.
func (w *Workspace) Invite(place string) (string, error) {
	v := w.Config.Vantages
	if v.Listen == "" || v.NATS != "" {
		return "", usage(fmt.Errorf("%s: agents are enrolled with the daemon's own server: vantages.listen (hint: with vantages.nats, mirror agent --server URL --credentials FILE)", w.Config.File))
	}
	i, err := broker.Invite(w.placesDir(), v.Listen, v.Address, place, vantage.PinsOf(w.Origins()))
	if err != nil {
		return "", usage(err)
	}
	line := []string{"mirror agent", "--place " + i.Place, "--server " + i.Server, "--token " + i.Token}
	if i.Pin != "" {
		line = append(line, "--pin "+i.Pin)
	}
	for _, pin := range i.Pins {
		line = append(line, "--origin "+shellWord(pin.String()))
	}
	return strings.Join(line, " "), nil
}

// shellWord quotes a word for a shell where that is needed.
func shellWord(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,:/%+@") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// RemovePlace forgets a place.
func (w *Workspace) RemovePlace(name string) error {
	if err := broker.Remove(w.placesDir(), name); err != nil {
		return usage(err)
	}
	return nil
}
