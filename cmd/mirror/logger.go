package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
)

// logHandler writes the daemon's log to stderr: for people on a terminal, else a line of
// key=value for each event, or of JSON.
func (a *app) logHandler(format string) (slog.Handler, error) {
	level := slog.LevelInfo
	switch {
	case a.verbose:
		level = slog.LevelDebug
	case a.quiet:
		level = slog.LevelWarn
	}
	if a.json {
		format = cmp.Or(map[string]string{"auto": "json"}[format], format)
	}
	options := &slog.HandlerOptions{Level: level}
	_, isTerminal := terminal(a.stderr)
	switch {
	case format == "json":
		return slog.NewJSONHandler(a.stderr, options), nil
	case format == "auto" && isTerminal:
		return tint.NewTextHandler(a.stderr, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !a.colors()}), nil
	case format == "auto" || format == "text":
		return slog.NewTextHandler(a.stderr, options), nil
	}
	return nil, fmt.Errorf("--log-format %s: want text, json or auto", format)
}
