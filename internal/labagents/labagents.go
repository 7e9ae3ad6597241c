// Package labagents runs agents for the lab: a server for them and the agents of several places, in one
// process, with nothing to install.
package labagents

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"

	"mirror/internal/lab"
	"mirror/internal/state"
	"mirror/internal/vantage"
	"mirror/internal/vantage/broker"
	"mirror/internal/vantage/windows"
)

// Agents are the agents of a lab.
type Agents struct {
	Listen string // address of the server for agents
	Places []*lab.Place

	clocks func(place string) windows.Clock // nil for the machine's
	server *broker.Server
	stop   context.CancelFunc
	all    sync.WaitGroup
}

// Names are those of the first places.
func names() []string {
	return []string{"ams", "fra", "nyc", "sgp", "syd", "gru", "jnb", "nrt"}
}

// Most is how many agents a lab may have.
const Most = 8

// Start runs a server and n agents for the config in a folder of the lab. Each agent reaches the origins
// through the caches of its own place.
func Start(ctx context.Context, l *lab.Lab, dir string, n int, log *slog.Logger) (*Agents, error) {
	return StartWithClocks(ctx, l, dir, n, log, nil)
}

// StartWithClocks is Start with clocks for the agents, by place. Nil gives all of them the machine's.
func StartWithClocks(ctx context.Context, l *lab.Lab, dir string, n int, log *slog.Logger, clocks func(place string) windows.Clock) (*Agents, error) {
	ctx, stop := context.WithCancel(ctx)
	a := &Agents{stop: stop, clocks: clocks}
	if err := a.start(ctx, l, dir, min(n, Most), log); err != nil {
		return nil, errors.Join(fmt.Errorf("agents: %w", err), a.Close())
	}
	return a, nil
}

func (a *Agents) start(ctx context.Context, l *lab.Lab, dir string, n int, log *slog.Logger) error {
	home, err := state.Open(filepath.Join(dir, state.Name))
	if err != nil {
		return err
	}
	places := filepath.Join(home.Dir(), "vantages")
	if a.server, err = broker.Serve(broker.ServerOptions{Dir: places, Listen: "127.0.0.1:0", Log: log}); err != nil {
		return err
	}
	at, err := url.Parse(a.server.URL())
	if err != nil {
		return err
	}
	a.Listen = at.Host
	var pins []vantage.Pin
	for _, o := range l.Origins() {
		pins = append(pins, vantage.Pin{URL: o.URL})
	}
	for _, name := range names()[:n] {
		if err := a.add(ctx, l, places, name, pins, log); err != nil {
			return err
		}
	}
	return nil
}

// add enrols an agent, runs it, and waits until it is connected.
func (a *Agents) add(ctx context.Context, l *lab.Lab, dir, name string, pins []vantage.Pin, log *slog.Logger) error {
	place, err := l.Place(name)
	if err != nil {
		return err
	}
	i, err := broker.Invite(dir, a.Listen, "", name, pins)
	if err != nil {
		return err
	}
	var clock windows.Clock
	if a.clocks != nil {
		clock = a.clocks(name)
	}
	connected, failed := make(chan struct{}), make(chan error, 1)
	a.all.Go(func() {
		failed <- broker.Run(ctx, broker.AgentOptions{
			Dir: filepath.Join(dir, "lab-agents", name), Join: broker.Joined{Place: name, Server: i.Server, Pins: pins}, Token: i.Token,
			Addresses: place.Addresses, Clock: clock, Log: log, Connected: func() { close(connected) },
		})
	})
	select {
	case <-connected:
		a.Places = append(a.Places, place)
		return nil
	case err := <-failed:
		return fmt.Errorf("%s: %w", name, errors.Join(err, ctx.Err()))
	}
}

// Close ends the agents and the server.
func (a *Agents) Close() error {
	a.stop()
	a.all.Wait()
	if a.server != nil {
		return a.server.Close()
	}
	return nil
}
