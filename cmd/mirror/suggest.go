package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mirror/internal/config/strictyaml"
)

// flagError is a usage error for a wrong flag, with the nearest flag that there is.
func flagError(cmd *cobra.Command, err error) error {
	suggestion := ""
	if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		suggestion = strictyaml.DidYouMean("--"+unknown.GetSpecifiedName(), names)
	}
	return usage(fmt.Errorf("%w%s (hint: %s --help)", err, suggestion, cmd.CommandPath()))
}

// argsError is a usage error for wrong arguments, with the nearest command that there is.
func argsError(cmd *cobra.Command, args []string, err error) error {
	suggestion := ""
	if cmd.HasSubCommands() && len(args) > 0 {
		var names []string
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		suggestion = strictyaml.DidYouMean(args[0], names)
	}
	return usage(fmt.Errorf("%w%s (hint: %s --help)", err, suggestion, cmd.CommandPath()))
}
