package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"mirror/internal/output"
	"mirror/reports/formats"
)

// outputFlags say in which formats a document is written, and where to.
type outputFlags[Document any] struct {
	app    *app
	all    []formats.Format[Document]
	format string   // on stdout; "" where no flag says so
	files  []string // FORMAT=FILE
	set    output.Set[Document]
}

// outputFlagsOf adds the flags for formats to a command.
func outputFlagsOf[Document any](a *app, cmd *cobra.Command, all []formats.Format[Document]) *outputFlags[Document] {
	o := &outputFlags[Document]{app: a, all: all}
	names := strings.Join(output.Names(all), ", ")
	cmd.Flags().StringVar(&o.format, "format", "", "what stdout gets, as `format`: "+names+" (default text)")
	cmd.Flags().StringArrayVar(&o.files, "out", nil, "write `format=file` too, - for stdout; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("format", o.complete("")) // fails only for an unknown flag
	_ = cmd.RegisterFlagCompletionFunc("out", o.complete("="))
	return o
}

func (o *outputFlags[Document]) complete(after string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		if strings.Contains(typed, "=") {
			return nil, cobra.ShellCompDirectiveDefault // the file
		}
		var all []string
		for _, f := range o.all {
			all = append(all, f.Name+after+"\t"+f.About)
		}
		if after != "" {
			return all, cobra.ShellCompDirectiveNoSpace
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// validate reads the flags. Everything that can be wrong with them is a usage error, told
// before anything is fetched.
func (o *outputFlags[Document]) validate() (err error) {
	if o.app.json {
		if o.format != "" && o.format != "json" {
			return usage(fmt.Errorf("--json and --format %s both want stdout (hint: --out json=FILE)", o.format))
		}
		o.format = "json"
	}
	if o.set, err = output.Parse(o.all, o.format, o.files); err != nil {
		return usage(err)
	}
	return nil
}

// write writes a document everywhere that the flags say.
func (o *outputFlags[Document]) write(d Document) error {
	o.app.documented = true
	return o.set.Write(d, output.Streams{Stdout: o.app.stdout, Style: o.app.style(o.app.stdout), Secrets: o.app.secrets})
}
