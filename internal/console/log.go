package console

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
)

// LogHandler writes the daemon's log to stderr: for people on a terminal, else a line of
// key=value for each event, or of JSON.
func (c Console) LogHandler(format string) (slog.Handler, error) {
	level := slog.LevelInfo
	switch {
	case c.Verbose:
		level = slog.LevelDebug
	case c.Quiet:
		level = slog.LevelWarn
	}
	options := &slog.HandlerOptions{Level: level}
	_, isTerminal := Terminal(c.Stderr)
	switch {
	case format == "json":
		return slog.NewJSONHandler(c.Stderr, options), nil
	case format == "auto" && isTerminal:
		return tint.NewTextHandler(c.Stderr, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !c.colors()}), nil
	case format == "auto" || format == "text":
		return slog.NewTextHandler(c.Stderr, options), nil
	}
	return nil, fmt.Errorf("--log-format %s: want text, json or auto", format)
}
