package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"mirror/internal/activation"
	"mirror/internal/front"
	"mirror/internal/front/accesslog"
	"mirror/internal/front/autotls"
	"mirror/internal/front/render"
	"mirror/internal/front/server"
	"mirror/internal/workspace"
	"mirror/reports"
)

type frontFlags struct {
	listen    string
	logFormat string
	render    string
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

--render prints the configuration of another proxy over the same origins, and serves nothing.

SIGTERM and Ctrl-C let requests in flight finish (exit 0). SIGHUP has the access log opened and the
certificate read again; the config is read at the start alone. With --json, each event is a line of
JSON on stdout. A socket that systemd passes is used in place of --listen: see docs/hosts.md.

` + exitCodes,
		Example: `  mirror front
  mirror front --listen 127.0.0.1:8080 --json
  mirror front --render nginx > /etc/nginx/conf.d/mirror.conf && nginx -t && nginx -s reload`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.front(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.listen, "listen", "", "`address` to listen on (default the config's front.listen, or :8080)")
	cmd.Flags().StringVar(&f.render, "render", "", "print the configuration for this `proxy` instead: "+strings.Join(render.Programs(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("render", cobra.FixedCompletions(render.Programs(), cobra.ShellCompDirectiveNoFileComp)) // fails only for an unknown flag
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
	if f.render != "" {
		return errors.Join(a.renderFront(ctx, w, f), w.Close())
	}
	return errors.Join(a.serveFront(ctx, w, f, slog.New(handler)), w.Close())
}

// renderFront prints the configuration of another proxy.
func (a *app) renderFront(ctx context.Context, w *workspace.Workspace, f frontFlags) error {
	text, err := w.RenderFront(ctx, f.render, f.listen)
	if err != nil {
		return usage(fmt.Errorf("--render: %w", err))
	}
	_, err = io.WriteString(a.stdout, text)
	return err
}

// serveFront serves until ctx ends.
func (a *app) serveFront(ctx context.Context, w *workspace.Workspace, f frontFlags, log *slog.Logger) error {
	c := w.Config.Front
	o := server.Options{
		Listen: cmp.Or(f.listen, c.Listen), Sockets: activation.Passed(a.getenv), Version: version, Log: log,
		TLS: server.TLS{
			Cert: c.TLS.Cert, Key: c.TLS.Key, HSTS: c.TLS.HSTS, Redirect: c.TLS.Redirect,
			ACME: autotls.Options{Names: c.TLS.ACME.Names, Email: c.TLS.ACME.Email, Directory: c.TLS.ACME.Directory, Dir: w.State.Certificates()},
		},
		AccessLog: c.AccessLog, Format: accesslog.Format(c.AccessLogFormat), Stderr: a.stderr,
	}
	if c.TokenEnv != "" {
		if o.Token = a.getenv(c.TokenEnv); o.Token == "" {
			return usage(fmt.Errorf("front.token_env: the environment has no %s", c.TokenEnv))
		}
	}
	if c.HintKeyEnv != "" {
		if o.HintKey = a.getenv(c.HintKeyEnv); o.HintKey == "" {
			return usage(fmt.Errorf("front.hint_key_env: the environment has no %s", c.HintKeyEnv))
		}
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	o.Hangup = hangup
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
		if c.TLS.Cert != "" || len(c.TLS.ACME.Names) > 0 {
			scheme = "https"
		}
		if err := activation.Ready(a.getenv); err != nil {
			log.Warn("the service manager does not hear that the front is ready", "err", err)
		}
		log.Info("listening", "url", scheme+"://"+at.String()+"/", "origins", proxy.Origins(), "trust", c.Trust, "quorum", c.Quorum)
	}
	return listenError(server.Run(ctx, proxy, o))
}
