package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"mirror/internal/config"
	"mirror/internal/console"
	"mirror/internal/secrets"
	"mirror/internal/workspace"
	"mirror/reports"
	"mirror/targets"
)

// app is one run of the program: its streams, its environment and the global flags.
type app struct {
	kinds          targets.Kinds // of target, that the config may name
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer         // scrubbed of secrets
	secrets        *secrets.Scrubber // nil for none

	configFile string
	stateDir   string
	only       []string
	untrusted  config.Untrusted
	json       bool
	quiet      bool
	verbose    bool
	all        bool // every difference and path in a row of its own
	noColor    bool

	warnings   *workspace.Warnings // of this run
	documented bool                // stdout has got the command's document
}

// open opens the config that the flags name. Close the workspace after use.
func (a *app) open(events workspace.Events) (*workspace.Workspace, error) {
	return workspace.Open(a.workspaceOptions(events))
}

func (a *app) workspaceOptions(events workspace.Events) workspace.Options {
	return workspace.Options{
		Untrusted: &a.untrusted, ConfigFile: a.configFile, StateDir: a.stateDir, Only: a.only, Kinds: a.kinds, Getenv: a.getenv,
		Log: a.log(), Events: events, Output: a.stderr, Secrets: a.secrets, Warnings: a.warnings,
	}
}

// inWorkspace opens the config for do, and shows what it does.
func (a *app) inWorkspace(do func(w *workspace.Workspace) error) error {
	d := a.console().Progress()
	defer d.Close()
	w, err := a.open(d)
	if err != nil {
		return err
	}
	return errors.Join(do(w), w.Close())
}

// fromPlaces runs do, with looks from the places of the config where on is set.
func (a *app) fromPlaces(ctx context.Context, w *workspace.Workspace, on bool, do func() error) error {
	if !on {
		return do()
	}
	return w.WithPlaces(ctx, a.log(), do)
}

// log returns the logger of details, which only --verbose shows.
func (a *app) log() *slog.Logger {
	if !a.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.stderr, nil))
}

// console is where the run talks to a person.
func (a *app) console() console.Console {
	return console.Console{Stdin: a.stdin, Stderr: a.stderr, Secrets: a.secrets, Getenv: a.getenv, NoColor: a.noColor, Quiet: a.quiet, Verbose: a.verbose}
}

// texts are the flags that shape documents as text.
func (a *app) texts() reports.Style {
	return reports.Style{Verbose: a.verbose, All: a.all, Version: version}
}

// style says how text on w is shown: plain where w is no terminal.
func (a *app) style(w io.Writer) reports.Style { return a.console().Style(w, a.texts()) }

// allFlag adds --all to a command whose text folds long lists.
func (a *app) allFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.all, "all", false, "list every difference; do not fold folders into one row")
}

// document is a result in both its forms.
type document interface {
	Text(w io.Writer, s reports.Style) error
}

// show prints a result on stdout, as JSON or as text.
func (a *app) show(d document) error {
	a.documented = true
	if a.json {
		return reports.JSON(a.stdout, d)
	}
	return d.Text(a.stdout, a.style(a.stdout))
}
