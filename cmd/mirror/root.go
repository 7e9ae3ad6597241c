package main

import (
	"cmp"
	"io"

	"github.com/spf13/cobra"

	"mirror/internal/workspace"
)

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "mirror",
		Short: "One static site, many origins, provably the same",
		Long: `mirror publishes one generated site to git Pages, S3-compatible buckets, container
registries and folders: it stages everywhere first, then commits everywhere, and checks
the live bytes of every origin.

` + exitCodes,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.StringVarP(&a.configFile, "config", "c", "", "config `file` (default mirror.yaml here or in a folder above)")
	flags.StringVar(&a.stateDir, "state", "", "state `folder` (default .mirror beside the config)")
	flags.StringArrayVar(&a.only, "target", nil, "only this target, by `name`; may be repeated")
	flags.BoolVar(&a.untrusted.On, "untrusted", false, "the config is not trusted (a pull request's): run no commands, use only the variables and hosts that are allowed")
	flags.StringArrayVar(&a.untrusted.Env, "allow-env", nil, "with --untrusted, an environment `variable` that the config may use; may be repeated")
	flags.StringArrayVar(&a.untrusted.Origins, "allow-origin", nil, "with --untrusted, a `URL` or host that the config may use; may be repeated")
	flags.BoolVar(&a.json, "json", false, "print one JSON document on stdout")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no progress")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "show more details")
	flags.BoolVar(&a.noColor, "no-color", false, "no colour (NO_COLOR does the same)")
	root.AddCommand(a.initCommand(), a.planCommand(), a.publishCommand(), a.rollbackCommand(), a.checkCommand(), a.diffCommand(), a.watchCommand(),
		a.daemonCommand(), a.agentCommand(), a.notifyCommand(), a.labCommand(), a.demoCommand(), a.serveCommand(), a.frontCommand(), a.versionCommand())
	root.AddCommand(a.historyCommand(), a.reportCommand(), a.manCommand(), a.targettestCommand())
	wrapArgs(root)
	_ = root.RegisterFlagCompletionFunc("target", a.completeTargets) // fails only for an unknown flag
	return root
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
	for _, o := range w.Config.Origins {
		names = append(names, o.Name+"\torigin")
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// wrapArgs makes wrong arguments a usage error, in every command.
func wrapArgs(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		check = cobra.ArbitraryArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := cmp.Or(refuseEmpty(cmd, args), check(cmd, args)); err != nil {
			return argsError(cmd, args, err)
		}
		return nil
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}
