package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirror/internal/activation"
	"mirror/internal/compression"
	"mirror/internal/netname"
	"mirror/internal/static"
	"mirror/internal/workspace"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3"
)

type serveFlags struct {
	image     string
	bucket    string
	listen    string
	poll      time.Duration
	notFound  string
	cleanURLs bool
	compress  []string
	cache     string
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve DIR | --image REF | --bucket NAME",
		Short: "Serve a folder, a container image from its registry, or a bucket, over HTTP",
		Long: `Serve a site over HTTP: a folder (or a link to one, which may change), the site in a
container image, which is read from its registry, or the live release of a bucket with
layout: pointer. Changes of the image's tag and of the bucket's pointer are followed. Keys and
endpoint of the bucket are those that the AWS tools find. Images that publish makes with
base: self run this command. A socket that systemd passes is used in place of --listen: see
docs/hosts.md.

` + exitCodes,
		Example: `  mirror serve ./public
  mirror serve /srv/www/blog/current --listen :8080
  mirror serve --image ghcr.io/me/blog:latest --poll 10s
  mirror serve --bucket my-blog --poll 2s`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := a.content(cmd.Context(), f, args)
			if err != nil {
				return err
			}
			return a.serve(cmd.Context(), f.listen, h)
		},
	}
	cmd.Flags().StringVar(&f.image, "image", "", "serve the site in this container image, by `reference`")
	cmd.Flags().StringVar(&f.bucket, "bucket", "", "serve the live release of this bucket, by `name` or name/prefix")
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	cmd.Flags().DurationVar(&f.poll, "poll", 2*time.Second, "how often to check the image's tag, or the bucket's pointer, for changes")
	cmd.Flags().StringVar(&f.notFound, "not-found", "404.html", "the site's `page` for paths that do not exist")
	_ = cmd.Flags().SetAnnotation("not-found", mayBeEmpty, []string{"no page"}) // fails only for an unknown flag
	cmd.Flags().BoolVar(&f.cleanURLs, "clean-urls", false, "serve about.html at /about too")
	cmd.Flags().StringSliceVar(&f.compress, "compress", nil, "serve text compressed to clients that accept it: gzip, br, zstd, or several of them with commas")
	cmd.Flags().StringVar(&f.cache, "compress-cache", "", "`folder` that keeps compressed variants for the next start")
	return cmd
}

// maxVariants is how many bytes of compressed variants are kept in memory.
const maxVariants = 64 << 20

// content returns the handler of the site that the arguments name.
func (a *app) content(ctx context.Context, f serveFlags, args []string) (http.Handler, error) {
	log := slog.New(slog.NewTextHandler(a.stderr, nil))
	codings, err := compression.Parse(f.compress)
	if err != nil {
		return nil, usage(fmt.Errorf("--compress: %w", err))
	}
	options := static.Options{NotFound: f.notFound, CleanURLs: f.cleanURLs, ContentType: site.ContentType, Log: log}
	options.Compress = static.Compress{Codings: codings, Store: compression.NewStore(f.cache, maxVariants)}
	switch {
	case len(args)+min(1, len(f.image))+min(1, len(f.bucket)) != 1:
		return nil, usage(errors.New("give one of: a folder, --image, --bucket (hint: mirror serve --help)"))
	case f.bucket != "":
		name, prefix, _ := strings.Cut(f.bucket, "/")
		place, err := s3.OpenPointed(ctx, targets.Env{Getenv: os.Getenv, Log: log}, s3.Config{Bucket: name, Prefix: prefix})
		if err != nil {
			return nil, usage(fmt.Errorf("--bucket: %w", err))
		}
		return static.FollowSite(ctx, static.SiteFollower{Source: workspace.FollowedReleases{Releases: place}, Poll: f.poll, Site: options, Log: log}), nil
	case f.image != "":
		return static.FollowImage(ctx, &static.Follower{Image: f.image, Poll: f.poll, Site: options, Log: log}), nil
	}
	h, err := static.Folder(args[0], options)
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", args[0], err)
	}
	return h, nil
}

func (a *app) serve(ctx context.Context, address string, h http.Handler) error {
	l, passed, err := activation.Passed(a.getenv).Listen(ctx, address)
	if err != nil {
		return listenError(fmt.Errorf("serve: --listen: %w", err))
	}
	if passed {
		waitForContent(ctx, h)
	}
	if err := activation.Ready(a.getenv); err != nil {
		fmt.Fprintln(a.stderr, "serve:", err)
	}
	if !a.quiet {
		fmt.Fprintf(a.stderr, "serving on http://%s/\n", l.Addr())
	}
	if passed {
		return static.HandOver(ctx, static.NewServer(h), l)
	}
	return static.Serve(ctx, l, h)
}

// contentTime is how long a server whose socket was passed waits for its image or its bucket.
const contentTime = 30 * time.Second

func waitForContent(ctx context.Context, h http.Handler) {
	follower, ok := h.(interface{ Ready() <-chan struct{} })
	if !ok {
		return
	}
	select {
	case <-follower.Ready():
	case <-time.After(contentTime):
	case <-ctx.Done():
	}
}

// listenError makes an address that is none a mistake in the use.
func listenError(err error) error {
	if errors.Is(err, netname.ErrAddress) {
		return usage(err)
	}
	return err
}
