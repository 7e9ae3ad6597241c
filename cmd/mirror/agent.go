package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"mirror/internal/vantage"
	"mirror/internal/vantage/broker"
	"mirror/internal/workspace"
)

// agentFlags are the flags of agent.
type agentFlags struct {
	join      broker.Joined
	token     string
	origins   []string
	addresses map[string]string
	logFormat string
}

func (a *app) agentCommand() *cobra.Command {
	var f agentFlags
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Look at the origins from this machine for a daemon on another one",
		Long: `Connect to the daemon, look at the pages that it deals to this agent, and send back what
differs, until it is stopped. The agent needs one connection to the daemon and none from it. It
looks at the origins that it was enrolled for and at nothing else, and holds no secret of a target.

mirror agent enroll, on the machine of the daemon, prints the line that enrols an agent. After
that, mirror agent is enough: its enrolment is in the folder --state (default .mirror-agent).

` + exitCodes,
		Example: `  mirror agent enroll --place fra     # on the machine of the daemon
  mirror agent --place fra --server tls://mirror.example.com:4222 --token … --pin … --origin https://blog.example.com/
  mirror agent                        # from then on`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.agent(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.join.Place, "place", "", "`name` of the place")
	flags.StringVar(&f.join.Server, "server", "", "`URL` of the daemon's server for agents, or of a NATS server")
	flags.StringVar(&f.token, "token", "", "`token` that enrols the agent once")
	flags.StringVar(&f.join.Pin, "pin", "", "`digest` of the server's key")
	flags.StringVar(&f.join.Credentials, "credentials", "", "`file` with the credentials for a NATS server that is not the daemon's own")
	flags.StringArrayVar(&f.origins, "origin", nil, "a `URL` that the agent may look at; may be repeated")
	flags.StringToStringVar(&f.addresses, "resolve", nil, "connect to another `host:port=address` than the origin's host says, as curl --resolve does")
	flags.StringVar(&f.logFormat, "log-format", "auto", "`format` of the log on stderr: text, json, or auto")
	cmd.AddCommand(a.enrollCommand(), a.placesCommand(), a.removePlaceCommand())
	return cmd
}

func (a *app) agent(ctx context.Context, f agentFlags) error {
	handler, err := a.console().LogHandler(f.logFormat)
	if err != nil {
		return usage(err)
	}
	for _, text := range f.origins {
		pin, err := vantage.ParsePin(text)
		if err != nil {
			return usage(fmt.Errorf("--origin: %w", err))
		}
		f.join.Pins = append(f.join.Pins, pin)
	}
	if f.join.Server != "" && (f.join.Place == "" || len(f.join.Pins) == 0) {
		return usage(errors.New("--server needs --place and --origin (hint: mirror agent enroll prints the whole line)"))
	}
	err = broker.Run(ctx, broker.AgentOptions{
		Dir: cmp.Or(a.stateDir, ".mirror-agent"), Join: f.join, Token: f.token, Addresses: f.addresses, Version: version, Log: slog.New(handler),
	})
	if errors.Is(err, broker.ErrNotEnrolled) {
		return usage(err)
	}
	if ctx.Err() != nil {
		return nil // it was stopped
	}
	return err
}

func (a *app) enrollCommand() *cobra.Command {
	var place string
	cmd := &cobra.Command{
		Use:   "enroll --place NAME",
		Short: "Print the line that enrols an agent on another machine",
		Long: `Print one line to run on the machine of the agent. The token in it works once, within an hour. The
line names the origins of the config: the agent looks at no others. Enrol the place again after
a change of the origins, or to replace its agent.

` + exitCodes,
		Example: `  mirror agent enroll --place fra
  mirror agent enroll --place fra | ssh fra.example.com sh   # runs until it is stopped`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if place == "" {
				return usage(errors.New("--place NAME is missing (hint: a short name such as fra)"))
			}
			return a.inWorkspace(func(w *workspace.Workspace) error {
				doc, err := w.InviteDocument(place)
				if err != nil {
					return err
				}
				return a.show(doc)
			})
		},
	}
	cmd.Flags().StringVar(&place, "place", "", "`name` of the place, as reports show it")
	return cmd
}

func (a *app) placesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the places that are enrolled",
		Long:  "List the places, and whether an agent has enrolled for each.\n\n" + exitCodes,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.inWorkspace(func(w *workspace.Workspace) error {
				doc, err := w.AgentsDocument()
				if err != nil {
					return err
				}
				return a.show(doc)
			})
		},
	}
}

func (a *app) removePlaceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove PLACE",
		Short: "Remove a place: its agent is disconnected and can do nothing more",
		Long:  "Remove a place. Its agent is disconnected within a few seconds, and its key is worth nothing.\n\n" + exitCodes,
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, arguments []string) error {
			return a.inWorkspace(func(w *workspace.Workspace) error { return w.RemovePlace(arguments[0]) })
		},
	}
}
