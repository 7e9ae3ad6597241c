package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirror/internal/config"
	"mirror/internal/lab"
	"mirror/internal/lab/edge"
	"mirror/site"
)

// The environment variables that a lab's config takes its secrets from.
const (
	labAccessKey = "MIRROR_LAB_ACCESS_KEY"
	labSecretKey = "MIRROR_LAB_SECRET_KEY"
)

type labFlags struct {
	site string
	dir  string
	pace labPace
}

// labPace is how the lab's origins take to what is published.
type labPace struct {
	lag, trickle, edges map[string]string
	flap                []string
}

func (a *app) labCommand() *cobra.Command {
	var f labFlags
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Embedded origins on loopback to try everything with no account; stays up",
		Long: `Start a git host with Pages, an S3 service whose bucket is a website, and a container
registry with a runtime, on free loopback ports, and write a mirror.yaml for them. They
stay up until interrupted; then all they stored is removed.

` + exitCodes,
		Example: `  mirror lab --site ./public
  mirror lab --dir /tmp/lab --lag git=3s,registry=1500ms`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.lab(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.site, "site", "public", "`folder` of the site to publish")
	cmd.Flags().StringVar(&f.dir, "dir", "mirror-lab", "`folder` for the config")
	f.pace.addFlags(cmd)
	return cmd
}

func (p *labPace) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringToStringVar(&p.lag, "lag", nil, "how long an origin (git, s3, registry) takes to show what is published: `origin=duration`, or origin=duration±jitter")
	cmd.Flags().StringToStringVar(&p.trickle, "trickle", nil, "have an origin's files turn one after another: `origin=duration` for each")
	cmd.Flags().StringToStringVar(&p.edges, "edges", nil, "put caches in front of an origin, each so much later than it: `origin=0s/2s`")
	cmd.Flags().StringSliceVar(&p.flap, "flap", nil, "give an `origin` a second cache that never turns")
}

func (a *app) lab(ctx context.Context, f labFlags) error {
	l, err := a.startLab(ctx, f.pace)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	dir, err := filepath.Abs(f.site)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	file, env := filepath.Join(f.dir, config.FileName), filepath.Join(f.dir, "env")
	if err := os.WriteFile(file, labConfig(l, dir), 0o644); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	keys := fmt.Sprintf("export %s=%s\nexport %s=%s\n", labAccessKey, l.S3.AccessKey, labSecretKey, l.S3.SecretKey)
	if err := os.WriteFile(env, []byte(keys), 0o600); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	for _, o := range l.Origins() {
		fmt.Fprintf(a.stdout, "%-9s %s\n", o.Name, o.URL)
	}
	fmt.Fprintf(a.stdout, "\nIn another terminal:\n  . %s\n  mirror publish -c %s\n  mirror check -c %s\n\nCtrl-C ends the lab.\n", env, file, file)
	<-ctx.Done()
	return nil
}

// startLab starts the lab with the pace that the flags give.
func (a *app) startLab(ctx context.Context, p labPace) (*lab.Lab, error) {
	l, err := lab.Start(ctx, lab.Options{ContentType: site.ContentType, Log: a.log()})
	if err != nil {
		return nil, err
	}
	if err := p.apply(l); err != nil {
		return nil, errors.Join(usage(err), l.Close())
	}
	return l, nil
}

func (p labPace) apply(l *lab.Lab) error {
	never := map[string]string{}
	for _, name := range p.flap {
		never[name] = ""
	}
	for _, setting := range []struct {
		flag   string
		values map[string]string
		set    func(o *edge.Origin, text string) error
	}{{"lag", p.lag, setLag}, {"trickle", p.trickle, setTrickle}, {"edges", p.edges, setEdges}, {"flap", never, setFlap}} {
		for name, text := range setting.values {
			o, err := originOf(l, name)
			if err == nil {
				err = setting.set(o, text)
			}
			if err != nil {
				return fmt.Errorf("--%s %s=%s: %w", setting.flag, name, text, err)
			}
		}
	}
	return nil
}

func originOf(l *lab.Lab, name string) (*edge.Origin, error) {
	var names []string
	for _, o := range l.Origins() {
		if o.Name == name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	return nil, fmt.Errorf("there is no such origin in the lab (it has %s)", strings.Join(names, ", "))
}

// setLag takes a duration, with or without what it may be more or less.
func setLag(o *edge.Origin, text string) error {
	middle, spread, _ := strings.Cut(text, "±")
	lag, err := time.ParseDuration(middle)
	if err != nil {
		return err
	}
	var jitter time.Duration
	if spread != "" {
		if jitter, err = time.ParseDuration(spread); err != nil {
			return err
		}
	}
	o.SetLag(max(0, lag-jitter), 2*jitter)
	return nil
}

func setTrickle(o *edge.Origin, text string) error {
	each, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	o.SetTrickle(each, nil)
	return nil
}

func setEdges(o *edge.Origin, text string) error {
	e := edge.Edges{Busted: true}
	for _, part := range strings.Split(text, "/") {
		late, err := time.ParseDuration(part)
		if err != nil {
			return err
		}
		e.Stale = append(e.Stale, late)
	}
	o.SetEdges(e)
	return nil
}

func setFlap(o *edge.Origin, _ string) error {
	o.SetFlap(true)
	return nil
}

// labConfig is the mirror.yaml for a lab and the site in dir.
func labConfig(l *lab.Lab, dir string) []byte {
	return fmt.Appendf(nil, `# The embedded origins of mirror lab. The keys of the bucket are in the file env beside this one.
version: 1
site:
  dir: %q
  not_found: 404.html
targets:
  - name: git
    type: git
    url: %q
    branch: %q
    origin: {url: %q}
  - name: s3
    type: s3
    endpoint: %q
    region: %q
    bucket: %q
    path_style: true
    access_key_env: %s
    secret_key_env: %s
    origin: {url: %q}
  - name: registry
    type: oci
    image: %q
    base: self
    origin: {url: %q}
check:
  rate: 0
`, dir, l.Git.Remote, l.Git.Branch, l.Git.URL,
		l.S3.Endpoint, l.S3.Region, l.S3.Bucket, labAccessKey, labSecretKey, l.S3.URL,
		l.Registry.Image, l.Registry.URL)
}
