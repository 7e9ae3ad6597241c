package workspace

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"mirror/internal/origin"
	"mirror/internal/vantage"
	"mirror/internal/vantage/windows"
	"mirror/internal/wait"
	"mirror/internal/watch"
)

// WithPlaces runs do while the places of the config look at the origins too.
func (w *Workspace) WithPlaces(ctx context.Context, log *slog.Logger, do func() error) error {
	if v := w.Config.Vantages; len(v.Globalping.Places) > 0 {
		inner := do
		do = func() error { return w.withPublicPlaces(inner) }
		if !v.On() {
			return do()
		}
	}
	places, hub, err := w.OpenPlaces(ctx, true, log)
	if err != nil {
		return err
	}
	defer hub.Close()
	before := w.options.Places
	w.LookFrom(places)
	defer w.LookFrom(before)
	return do()
}

// BarrierNeedsPlaces reports whether the barrier of a publish waits for other places.
func (w *Workspace) BarrierNeedsPlaces() bool {
	return w.Config.Vantages.On() && w.Config.Vantages.Barrier > 1 && w.options.Places == nil
}

// agentsWithin bounds for how long after it has connected a coordinator waits for agents that are on their way to
// it, and readyWithin how much longer than for their answers it waits for them to begin.
const (
	agentsWithin = 5 * time.Second
	readyWithin  = 2 * time.Second
	lookAgain    = 100 * time.Millisecond
)

// watchers lists the agents, when all that are enrolled have been heard of or the time is over. That they cannot
// be listed is a note: what is seen from here stands.
func (w *Workspace) watchers(ctx context.Context) (agents []vantage.Agent, notes []string) {
	if w.options.Places == nil {
		return nil, nil
	}
	places := w.options.Places.Windows()
	ctx, done := context.WithDeadline(ctx, places.Since.Add(agentsWithin))
	defer done()
	for {
		listed, err := places.Bus.Agents(context.WithoutCancel(ctx))
		switch {
		case err != nil:
			return nil, []string{fmt.Sprintf("the window is watched from this machine alone: %v", err)}
		case len(listed) > 0 && len(listed) == windows.Able(listed), wait.Sleep(ctx, lookAgain) != nil:
			return listed, nil
		}
	}
}

// beginAt has the agents begin to watch. It returns the origins as they are watched from here beside them.
func (w *Workspace) beginAt(ctx context.Context, agents []vantage.Agent, origins []origin.Endpoint, o watch.Options, b windows.BeginOptions) ([]origin.Endpoint, *windows.Session, error) {
	if len(agents) == 0 {
		return origins, nil, nil
	}
	here, shared := windows.Share(origins, windows.Able(agents))
	session, err := w.options.Places.Windows().Begin(ctx, agents, shared, o, b)
	return here, session, err
}

// WatchFrom begins a watch from here and from the places, if there are any. notes say what is missing.
func (w *Workspace) WatchFrom(ctx context.Context, origins []origin.Endpoint, o watch.Options) (j *windows.Joint, notes []string) {
	agents, notes := w.watchers(ctx)
	o.Began = time.Now() // before any agent begins: what switches in between is within that agent's bounds
	here, session, err := w.beginAt(ctx, agents, origins, o, windows.BeginOptions{Limit: 24 * time.Hour, Patience: agentsWithin})
	if err != nil {
		notes = append(notes, fmt.Sprintf("the window is watched from this machine alone: %v", err))
	}
	j = &windows.Joint{Session: session, Began: o.Began, Barrier: w.Config.Vantages.Barrier, Watch: watch.Start(ctx, here, o)}
	if session != nil {
		ready, done := context.WithTimeout(ctx, agentsWithin)
		defer done()
		session.Ready(ready)
	}
	return j, notes
}
