package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mirror/internal/config"
	"mirror/internal/config/scaffold"
	"mirror/internal/console"
	"mirror/internal/secrets"
	"mirror/reports"
)

type initFlags struct {
	dir     string
	build   string
	targets []string
	schema  bool
	force   bool
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Detect the site's generator and write a commented mirror.yaml",
		Long: `Look at the folder, find which generator makes the site and where its own config says that it
writes, and write a mirror.yaml. Nothing is run, and no expression of a config is evaluated.
On a terminal it asks for the folder, the targets and their addresses, and checks each answer.
Without a terminal, what is not known is marked in the file.

` + exitCodes,
		Example: `  mirror init
  mirror init --dir public --with git --with s3
  mirror init --schema > mirror.schema.json   # for editors`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.dir, "dir", "", "`folder` of the generated site (default: as detected)")
	cmd.Flags().StringVar(&f.build, "build", "", "`command` that generates it (default: as detected)")
	cmd.Flags().StringArrayVar(&f.targets, "with", nil, "a `type` of target to write: "+strings.Join(a.kinds.Names(), ", ")+"; may be repeated")
	cmd.Flags().BoolVar(&f.schema, "schema", false, "print the config's JSON Schema and write nothing")
	cmd.Flags().BoolVar(&f.force, "force", false, "overwrite a config that is there")
	return cmd
}

func (a *app) init(ctx context.Context, f initFlags) error {
	if f.schema {
		text, err := config.Schema(a.kinds)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(append(text, '\n'))
		return err
	}
	file := a.configFile
	if file == "" {
		file = config.FileName
	}
	if err := scaffold.Vacant(file); err != nil && !f.force {
		return usage(err)
	}
	o := scaffold.Options{Folder: filepath.Dir(file), Dir: f.dir, Build: f.build, Kinds: f.targets}
	if _, ok := console.Terminal(a.stdin); ok {
		o.Prompt = scaffold.NewPrompt(ctx, a.stdin, a.stderr)
	}
	draft, err := scaffold.New(o, a.kinds)
	if err != nil {
		return usage(err)
	}
	if hint := draft.SecretRemote(); hint != "" {
		a.secrets.AddUserinfo("the git remote", draft.Remote)
		fmt.Fprintf(a.stderr, "note     the URL of the git remote holds a user name or a secret, which is not written (hint: %s)\n", hint)
	}
	text := draft.Text
	if clean := a.secrets.Bytes(text); !bytes.Equal(clean, text) {
		text = clean
		fmt.Fprintf(a.stderr, "note     a secret was left out of %s, where %s stands (hint: write ${NAME} there, the name of the variable that holds it)\n", file, secrets.Masked)
	}
	if err := scaffold.Write(file, text, f.force); errors.Is(err, fs.ErrExist) {
		return usage(err)
	} else if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	doc := reports.Draft{
		Schema: reports.DraftSchema, File: file, Generator: draft.Site.Generator, Dir: draft.Site.Dir, Build: draft.Site.Build,
		Notes: append([]string{}, draft.Notes...), Said: draft.Done(file, o.Prompt != nil),
	}
	if a.json {
		return a.show(doc)
	}
	return doc.Text(a.stderr, a.style(a.stderr))
}
