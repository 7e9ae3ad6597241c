package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

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
	weakSaid       map[string]bool   // of which secrets it was said that they cannot be hidden

	configFile string
	stateDir   string
	only       []string
	json       bool
	quiet      bool
	verbose    bool
	noColor    bool

	warnings   *workspace.Warnings // of this run
	documented bool                // stdout has got the command's document
}

// The exit codes, of every command.
const (
	exitAgree       = 0
	exitDisagree    = 1
	exitUsage       = 2
	exitFailed      = 3
	exitRolledBack  = 4
	exitMixed       = 5
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
  0    done; every origin agrees
  1    the origins disagree: drift was found, or a publish did not converge in time
  2    bad usage or config; nothing was attempted
  3    could not do or could not judge; live origins are unchanged
  4    a publish failed part-way and was rolled back
  5    a publish failed and could not be rolled back: origins may be mixed
  130  interrupted; the next run recovers`

// exit is an error with the exit code that it calls for. Err may be nil where all has been
// said already.
type exit struct {
	code int
	err  error
}

// Error is that of Err; of a bare exit it is the code.
func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns Err.
func (e *exit) Unwrap() error { return e.err }

// usage is an error for which nothing was attempted.
func usage(err error) error { return &exit{exitUsage, err} }

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "mirror",
		Short: "One static site, many origins, provably the same",
		Long: `mirror publishes one generated site to git Pages, S3-compatible buckets, container
registries and folders: it stages everywhere first, then commits everywhere, and checks
the live bytes of every origin.

` + exitCodes,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w (hint: %s --help)", err, cmd.CommandPath()))
	})
	flags := root.PersistentFlags()
	flags.StringVarP(&a.configFile, "config", "c", "", "config `file` (default mirror.yaml here or in a folder above)")
	flags.StringVar(&a.stateDir, "state", "", "state `folder` (default .mirror beside the config)")
	flags.StringArrayVar(&a.only, "target", nil, "only this target, by `name`; may be repeated")
	flags.BoolVar(&a.json, "json", false, "print one JSON document on stdout")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no progress")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "more about what is done")
	flags.BoolVar(&a.noColor, "no-color", false, "no colour (NO_COLOR does the same)")
	root.AddCommand(a.initCommand(), a.planCommand(), a.publishCommand(), a.checkCommand(), a.watchCommand(),
		a.daemonCommand(), a.notifyCommand(), a.labCommand(), a.demoCommand(), a.serveCommand(), a.versionCommand())
	root.AddCommand(a.historyCommand(), a.reportCommand())
	wrapArgs(root)
	_ = root.RegisterFlagCompletionFunc("target", a.completeTargets) // fails only for an unknown flag
	return root
}

// open opens the config that the flags name. Close the workspace after use.
func (a *app) open(events workspace.Events) (*workspace.Workspace, error) {
	return workspace.Open(a.workspaceOptions(events))
}

func (a *app) workspaceOptions(events workspace.Events) workspace.Options {
	return workspace.Options{
		ConfigFile: a.configFile, StateDir: a.stateDir, Only: a.only, Kinds: a.kinds, Getenv: a.getenv,
		Log: a.log(), Events: events, Output: a.stderr, Secrets: a.secrets, Loaded: a.learn, Warnings: a.warnings,
	}
}

// inWorkspace opens the config for do, and shows what it does.
func (a *app) inWorkspace(do func(w *workspace.Workspace) error) error {
	d := a.display()
	defer d.Close()
	w, err := a.open(d)
	if err != nil {
		return err
	}
	return errors.Join(do(w), w.Close())
}

func (a *app) completeTargets(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all := *a
	all.only = nil
	w, err := all.open(workspace.NewLines(io.Discard))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, t := range w.Config.Targets {
		names = append(names, t.Name+"\t"+t.Type)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// wrapArgs makes wrong arguments a usage error, in every command.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usage(fmt.Errorf("%w (hint: %s --help)", err, cmd.CommandPath()))
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}

// log returns the logger of details, which only --verbose shows.
func (a *app) log() *slog.Logger {
	if !a.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.stderr, nil))
}

// style says how text on w is shown: plain where w is no terminal.
func (a *app) style(w io.Writer) reports.Style {
	fd, ok := terminal(w)
	if !ok {
		return reports.Style{}
	}
	width, _, err := term.GetSize(fd)
	if err != nil {
		width = 0
	}
	return reports.Style{Color: a.colors(), Lines: true, Width: width}
}

func (a *app) colors() bool {
	return !a.noColor && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}

func (a *app) paint(color, text string) string {
	if _, ok := terminal(a.stderr); !ok || !a.colors() {
		return text
	}
	return color + text + "\x1b[0m"
}

func terminal(stream any) (fd int, ok bool) {
	if scrubbed, wrapped := stream.(*secrets.Writer); wrapped {
		stream = scrubbed.Unwrap()
	}
	f, ok := stream.(*os.File)
	if !ok {
		return 0, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
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
