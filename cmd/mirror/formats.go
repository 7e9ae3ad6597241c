package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"mirror/internal/humanize"
	"mirror/internal/secrets"
	"mirror/reports"
	"mirror/reports/formats"
)

// outputs says in which formats a document is written, and where to.
type outputs[Document any] struct {
	app     *app
	formats []formats.Format[Document]
	format  string   // on stdout; "" where no flag says so
	out     []string // FORMAT=FILE
	all     []output[Document]
}

// output is one format in one place; "-" is stdout.
type output[Document any] struct {
	formats.Format[Document]
	file string
}

// outputsOf adds the flags for formats to a command.
func outputsOf[Document any](a *app, cmd *cobra.Command, forms []formats.Format[Document]) *outputs[Document] {
	o := &outputs[Document]{app: a, formats: forms}
	cmd.Flags().StringVar(&o.format, "format", "", "what stdout gets, as `format`: "+strings.Join(o.names(), ", ")+" (default text)")
	cmd.Flags().StringArrayVar(&o.out, "out", nil, "write `format=file` too, - for stdout; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("format", o.complete("")) // fails only for an unknown flag
	_ = cmd.RegisterFlagCompletionFunc("out", o.complete("="))
	return o
}

func (o *outputs[Document]) names() []string {
	var names []string
	for _, f := range o.formats {
		names = append(names, f.Name)
	}
	return names
}

func (o *outputs[Document]) complete(after string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		if strings.Contains(typed, "=") {
			return nil, cobra.ShellCompDirectiveDefault // the file
		}
		var all []string
		for _, f := range o.formats {
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
func (o *outputs[Document]) validate() error {
	if o.app.json {
		if o.format != "" && o.format != "json" {
			return usage(fmt.Errorf("--json and --format %s both want stdout (hint: --out json=FILE)", o.format))
		}
		o.format = "json"
	}
	o.all = nil
	places := map[string]string{}
	if o.format != "" {
		if err := o.add("--format "+o.format, o.format, "-", places); err != nil {
			return err
		}
	}
	for _, text := range o.out {
		name, file, ok := strings.Cut(text, "=")
		if !ok || file == "" {
			return usage(fmt.Errorf("--out %s: want FORMAT=FILE, as in --out junit=report.xml", text))
		}
		if err := o.add("--out "+text, name, file, places); err != nil {
			return err
		}
	}
	if _, taken := places["-"]; !taken {
		return o.add("", "text", "-", places)
	}
	return nil
}

// add adds one output, unless its place is taken or cannot be written to.
func (o *outputs[Document]) add(flag, format, file string, places map[string]string) error {
	i := slices.IndexFunc(o.formats, func(f formats.Format[Document]) bool { return f.Name == format })
	if i < 0 {
		return usage(fmt.Errorf("%s: there is no format %q (there are %s)", flag, format, strings.Join(o.names(), ", ")))
	}
	place := file
	if file != "-" {
		place = filepath.Clean(file)
		if info, err := os.Stat(filepath.Dir(place)); err != nil || !info.IsDir() {
			return usage(fmt.Errorf("%s: there is no folder %s", flag, filepath.Dir(place)))
		}
		if info, err := os.Stat(place); err == nil && info.IsDir() {
			return usage(fmt.Errorf("%s: %s is a folder", flag, place))
		}
	}
	if other, taken := places[place]; taken {
		return usage(fmt.Errorf("%s and %s both write to %s", other, flag, cmp.Or(strings.TrimPrefix(place, "-"), "stdout")))
	}
	places[place] = flag
	o.all = append(o.all, output[Document]{o.formats[i], file})
	return nil
}

// write writes a document everywhere that the flags say. One place that cannot be written to
// keeps no other from being written to.
func (o *outputs[Document]) write(d Document) error {
	var errs []error
	for _, out := range o.all {
		errs = append(errs, o.writeOne(d, out))
	}
	return errors.Join(errs...)
}

func (o *outputs[Document]) writeOne(d Document, out output[Document]) error {
	if out.file == "-" {
		o.app.documented = true
		style := o.app.style(o.app.stdout)
		style.Verbose = o.app.verbose
		return out.Write(d, o.app.stdout, style)
	}
	var b bytes.Buffer
	if err := out.Write(d, &b, reports.Style{Verbose: o.app.verbose}); err != nil {
		return err
	}
	if err := replace(out.file, o.app.secrets.Bytes(b.Bytes())); err != nil {
		return fmt.Errorf("--out %s=%s: %w", out.Name, out.file, err)
	}
	return nil
}

// replace writes a file at once: whoever reads it sees the old text or the new one. What is no
// regular file, such as a pipe or /dev/stderr, is written to.
func replace(name string, text []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = file.Write(text)
		return errors.Join(err, file.Close())
	}
	return renameio.WriteFile(name, text, 0o644)
}

// ci shows a check where a GitHub workflow looks: the step's summary, and its annotations,
// which go to stderr so that stdout stays what was asked for. An output that was asked for
// in the same form takes the place of either.
func ci(o *outputs[reports.Check], c reports.Check) error {
	asked := func(format string) bool {
		return slices.ContainsFunc(o.all, func(out output[reports.Check]) bool { return out.Name == format })
	}
	if o.app.getenv("GITHUB_ACTIONS") == "true" && !asked("github") {
		if err := c.GitHub(o.app.stderr); err != nil {
			return err
		}
	}
	file := o.app.getenv("GITHUB_STEP_SUMMARY")
	if file == "" || slices.ContainsFunc(o.all, func(out output[reports.Check]) bool { return out.file == file }) {
		return nil
	}
	if err := appendSummary(file, c, o.app.secrets); err != nil {
		fmt.Fprintf(o.app.stderr, "note     no step summary: %v\n", err)
	}
	return nil
}

// maxSummary is what GitHub takes of a step; of more it shows nothing at all.
const maxSummary = 1 << 20

func appendSummary(name string, c reports.Check, known *secrets.Scrubber) error {
	var b bytes.Buffer
	if err := c.Markdown(&b); err != nil {
		return err
	}
	b = *bytes.NewBuffer(known.Bytes(b.Bytes()))
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	before, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if before > 0 {
		b = *bytes.NewBuffer(append([]byte("\n"), b.Bytes()...))
	}
	if before+int64(b.Len()) > maxSummary {
		return fmt.Errorf("%s holds %s already", name, humanize.Bytes(before))
	}
	_, err = file.Write(b.Bytes())
	return err
}

// endingOf says in a document how a command ended.
func (a *app) endingOf(ctx context.Context, err error) reports.Ending {
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", errInterrupted, err)
	}
	return reports.Ending{Error: text(err), Warnings: a.warnings.Take()}
}

// ending joins a verdict's exit with what went wrong with writing it: the verdict's code is
// the one that a gate must see.
func ending(verdict, written error) error {
	if e, ok := errors.AsType[*exit](verdict); ok && written != nil {
		return &exit{e.code, written}
	}
	return cmp.Or(verdict, written)
}
