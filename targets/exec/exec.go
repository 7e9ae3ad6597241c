// Package exec publishes to any other place by a program of the user's: it is run once for each protocol.Request, which it
// gets as one line of JSON and as environment variables, and prints lines of JSON of which the last one is the
// answer. docs/targets/exec.md is the protocol.
package exec

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

// New is the targets.Factory of the kind "exec".
func New(_ context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	return Open(c, env)
}

// Open makes the target ready. It runs nothing.
func Open(c Config, env targets.Env) (*Target, error) {
	if len(env.Keep) > 0 {
		return nil, errors.New("publish.keep: the program of an exec target is not asked to keep files")
	}
	if len(c.Command) == 0 {
		return nil, errors.New("command: missing")
	}
	if err := targets.Validate(c); err != nil {
		return nil, err
	}
	timeout, err := timeoutOf(c.Timeout)
	t := &Target{
		program: protocol.Program{Command: c.Command, Workdir: c.Workdir, Timeout: timeout}, beacon: site.DefaultBeacon,
		grace: env.Grace, owner: cmp.Or(env.Owner, rand.Text()), lease: cmp.Or(env.Lease, leaseLength), log: env.Log,
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	return t, err
}
