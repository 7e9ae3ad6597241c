package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/service"
	"mirror/internal/workspace"
)

// daemonFlags are the flags of daemon; their zero values leave the config's word.
type daemonFlags struct {
	listen      string
	logFormat   string
	once        bool
	health      bool
	noDashboard bool
	allowRemote bool
}

func (a *app) daemonCommand() *cobra.Command {
	var f daemonFlags
	cmd := &cobra.Command{
		Use:   "daemon",
		Short: "Run checks, publishes and reports on a schedule, with a dashboard, metrics and alerts",
		Long: `Run the jobs of the config's schedule until it is stopped. Record the results, notify the
recipients under notify when an origin drifts and when it recovers, and show the state on a
dashboard. Without a schedule the origins are checked every 15 minutes.

SIGTERM and Ctrl-C stop it cleanly (exit 0). The config is read again when its file changes,
and on SIGHUP; a config with errors is refused, and the previous one stays in use.

` + exitCodes,
		Example: `  mirror daemon
  mirror daemon --listen 127.0.0.1:9000 --log-format json
  mirror daemon --once         # run every check of the schedule once, from a system timer
  mirror daemon --health       # exit 0 if the daemon is alive, else 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.daemon(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "", "`address` of the dashboard (default the config's, or 127.0.0.1:8700)")
	flags.StringVar(&f.logFormat, "log-format", "auto", "`format` of the log on stderr: text, json, or auto")
	flags.BoolVar(&f.once, "once", false, "run every check of the schedule once, send notifications, and exit")
	flags.BoolVar(&f.health, "health", false, "ask the daemon at the listen address whether it is alive, and exit")
	flags.BoolVar(&f.noDashboard, "no-dashboard", false, "do not serve the dashboard")
	flags.BoolVar(&f.allowRemote, "allow-remote", false, "listen on other addresses than loopback without a token: everyone in that network can read the dashboard")
	return cmd
}

func (a *app) daemon(ctx context.Context, f daemonFlags) error {
	if a.json && f.logFormat == "auto" {
		f.logFormat = "json"
	}
	handler, err := a.console().LogHandler(f.logFormat)
	if err != nil {
		return usage(err)
	}
	if len(a.only) > 0 {
		return usage(errors.New("--target: the daemon looks at all targets (hint: leave it out, or use another config)"))
	}
	o := service.Options{
		Listen: f.listen, NoDashboard: f.noDashboard, AllowRemote: f.allowRemote,
		Getenv: a.getenv, Log: slog.New(handler), Version: version, Secrets: a.secrets, Open: a.openQuietly,
	}
	switch {
	case f.health:
		return service.AskHealth(ctx, o)
	case f.once:
		verdicts, err := service.Once(ctx, o)
		return ending(stateExit(diff.Worst(verdicts...)), err)
	}
	return service.Run(ctx, o)
}

// openQuietly opens the config for a daemon, whose log says what its jobs do. h is the history
// that is open already, nil for none.
func (a *app) openQuietly(h *history.Store) (*workspace.Workspace, error) {
	o := a.workspaceOptions(workspace.NewLines(io.Discard))
	o.History = h
	return workspace.Open(o)
}
