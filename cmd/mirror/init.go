package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mirror/internal/config"
	"mirror/internal/config/scaffold"
	"mirror/internal/secrets"
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
		Long: `Look at the folder, find which generator makes the site, and write a mirror.yaml to be
filled in. On a terminal it asks; with flags, or without a terminal, it does not.

` + exitCodes,
		Example: `  mirror init
  mirror init --dir public --with git --with s3
  mirror init --schema > mirror.schema.json   # for editors`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.init(f) },
	}
	cmd.Flags().StringVar(&f.dir, "dir", "", "`folder` of the generated site (default: as detected)")
	cmd.Flags().StringVar(&f.build, "build", "", "`command` that generates it (default: as detected)")
	cmd.Flags().StringArrayVar(&f.targets, "with", nil, "a `type` of target to write: "+strings.Join(a.kinds.Names(), ", ")+"; may be repeated")
	cmd.Flags().BoolVar(&f.schema, "schema", false, "print the config's JSON Schema and write nothing")
	cmd.Flags().BoolVar(&f.force, "force", false, "overwrite a config that is there")
	return cmd
}

func (a *app) init(f initFlags) error {
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
	if _, err := os.Stat(file); err == nil && !f.force {
		return usage(fmt.Errorf("%s is there already (hint: --force overwrites it)", file))
	}
	found, err := a.detect(f, filepath.Dir(file))
	if err != nil {
		return err
	}
	text, err := scaffold.Render(found, a.sampleTargets(f.targets, filepath.Dir(file)), a.kinds)
	if err != nil {
		return usage(err)
	}
	if clean := a.secrets.Bytes(text); !bytes.Equal(clean, text) {
		text = clean
		fmt.Fprintf(a.stderr, "note     a secret was left out of %s, where %s stands (hint: write ${NAME} there, the name of the variable that holds it)\n", file, secrets.Masked)
	}
	if err := scaffold.Write(file, text, f.force); errors.Is(err, fs.ErrExist) {
		return usage(err)
	} else if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	what := fmt.Sprintf("wrote %s for the %s site in %s", file, found.Generator, found.Dir)
	if found.Generator == "" {
		what = fmt.Sprintf("found no generated site here; wrote %s for one in %s", file, found.Dir)
	}
	fmt.Fprintf(a.stderr, "%s; fill in the targets, then try: mirror plan\n", what)
	return nil
}

// detect joins what was detected, what the flags say, and what the user answers.
func (a *app) detect(f initFlags, dir string) (scaffold.Site, error) {
	found := scaffold.Detect(os.DirFS(dir))
	if f.dir != "" {
		found.Dir = f.dir
	}
	if f.build != "" {
		found.Build = f.build
	}
	if _, ok := terminal(a.stdin); ok && f.dir == "" {
		answer, err := a.ask("Folder of the generated site", found.Dir)
		if err != nil {
			return found, err
		}
		found.Dir = answer
	}
	if found.Dir == "" {
		found.Dir = "public"
	}
	return found, nil
}

func (a *app) ask(question, usual string) (string, error) {
	fmt.Fprintf(a.stderr, "%s [%s]: ", question, usual)
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if line = strings.TrimSpace(line); line != "" {
		return line, nil
	}
	return usual, nil
}

// sampleTargets lists the targets to write. A secret in the URL of the git remote is left out.
func (a *app) sampleTargets(named []string, dir string) []scaffold.Target {
	remote := scaffold.Remote(dir)
	all := scaffold.Targets(a.kinds, named, remote)
	for _, t := range all {
		a.saySecretRemote(remote, t.Values)
	}
	return all
}

// saySecretRemote tells of a user name or a secret in the remote's URL, which the config does
// not get.
func (a *app) saySecretRemote(remote string, values map[string]string) {
	if values["url"] == "" || values["url"] == remote {
		return
	}
	a.secrets.AddUserinfo("the git remote", remote)
	hint := "use a key: ssh_key"
	if variable := values["token_env"]; variable != "" {
		hint = "put the token into the environment variable " + variable + ", which token_env names"
	}
	fmt.Fprintf(a.stderr, "note     the URL of the git remote holds a user name or a secret, which is not written (hint: %s)\n", hint)
}
