package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"mirror/internal/front"
	"mirror/internal/front/accesslog"
	"mirror/internal/front/server"
	"mirror/internal/workspace"
	"mirror/reports"
)

type frontFlags struct {
	listen    string
	logFormat string
}

func (a *app) frontCommand() *cobra.Command {
	var f frontFlags
	cmd := &cobra.Command{
		Use:   "front",
		Short: "Serve one verified release at a time as a reverse proxy over all origins",
		Long: `Serve visitors from the config's origins. Every body is compared with the release before
its first byte is sent; what is wrong, cut, slow or missing at one origin comes from another.
All visitors move to a new release at once, when front.quorum origins hold it. front.trust says
where the list of a release's files comes from; see docs/front.md.

SIGTERM and Ctrl-C let requests in flight finish (exit 0). With --json, each event is a line of
JSON on stdout.

` + exitCodes,
		Example: `  mirror front
  mirror front --listen 127.0.0.1:8080 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.front(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.listen, "listen", "", "`address` to listen on (default the config's front.listen, or :8080)")
	cmd.Flags().StringVar(&f.logFormat, "log-format", "auto", "`format` of the log on stderr: text, json, or auto")
	return cmd
}

func (a *app) front(ctx context.Context, f frontFlags) error {
	handler, err := a.console().LogHandler(f.logFormat)
	if err != nil {
		return usage(err)
	}
	w, err := a.open(workspace.NewLines(a.stderr))
	if err != nil {
		return err
	}
	return errors.Join(a.serveFront(ctx, w, f, slog.New(handler)), w.Close())
}

// serveFront serves until ctx ends.
func (a *app) serveFront(ctx context.Context, w *workspace.Workspace, f frontFlags, log *slog.Logger) error {
	c := w.Config.Front
	o := server.Options{
		Listen: cmp.Or(f.listen, c.Listen), Version: version, Log: log,
		TLS:       server.TLS{Cert: c.TLS.Cert, Key: c.TLS.Key, HSTS: c.TLS.HSTS, Redirect: c.TLS.Redirect},
		AccessLog: c.AccessLog, Format: accesslog.Format(c.AccessLogFormat), Stderr: a.stderr,
	}
	if c.TokenEnv != "" {
		if o.Token = a.getenv(c.TokenEnv); o.Token == "" {
			return usage(fmt.Errorf("front.token_env: the environment has no %s", c.TokenEnv))
		}
	}
	var events func(front.Event)
	if a.json {
		a.documented = true
		events = func(e front.Event) {
			if err := reports.JSONLine(a.stdout, e); err != nil {
				log.Warn("an event could not be written", "err", err)
			}
		}
	}
	proxy, err := w.Front(log, events)
	if err != nil {
		return err
	}
	defer proxy.Close()
	o.Listening = func(at net.Addr) {
		scheme := "http"
		if c.TLS.Cert != "" {
			scheme = "https"
		}
		log.Info("listening", "url", scheme+"://"+at.String()+"/", "origins", proxy.Origins(), "trust", c.Trust, "quorum", c.Quorum)
	}
	return server.Run(ctx, proxy, o)
}
