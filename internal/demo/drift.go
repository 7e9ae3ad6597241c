package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mirror/diff"
)

// drift is one injected difference.
type drift struct {
	origin, path string
	kind         diff.Kind
}

// String names the drift as the demo tells it.
func (d drift) String() string { return fmt.Sprintf("%s %s on %s", d.kind, d.path, d.origin) }

// inject puts seven kinds of drift into the origins: into what is stored where a person
// or a broken tool would do it, else at the edge.
func (s *steps) inject(ctx context.Context) ([]drift, error) {
	p, err := s.pick(5)
	if err != nil {
		return nil, err
	}
	missing, altered, mistyped, redirected, unreachable := p[0], p[1], p[2], p[3], p[4]
	body, err := os.ReadFile(filepath.Join(s.site, filepath.FromSlash(mistyped)))
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		s.lab.Git.Edit(ctx, map[string][]byte{missing: nil}),
		s.lab.S3.Edit(ctx, map[string][]byte{altered: []byte("<p>Not what was published.\n")}),
		s.lab.S3.EditHeaders(ctx, map[string][]byte{mistyped: body}, http.Header{"Content-Type": {"text/plain"}}),
		s.lab.Registry.Edit(ctx, map[string][]byte{
			removedPage: []byte("<p>A page that was removed.\n"),
			changedPage: []byte(demoPage(1)), // as it was in v1
		}),
	)
	s.lab.Registry.Override(urlOf(redirected), http.RedirectHandler("https://parked.example/", http.StatusMovedPermanently))
	s.lab.Git.Override(urlOf(unreachable), http.HandlerFunc(cut))
	return []drift{
		{"git", missing, diff.Missing}, {"s3", altered, diff.Altered}, {"s3", mistyped, diff.Mistyped}, {"registry", changedPage, diff.Stale},
		{"registry", removedPage, diff.Extra}, {"registry", redirected, diff.Redirected}, {"git", unreachable, diff.Unreachable},
	}, err
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// urlOf is a path's decoded URL path on the lab's origins.
func urlOf(path string) string { return "/" + strings.TrimSuffix(path, "index.html") }

// pick chooses n pages, spread over the site.
func (s *steps) pick(n int) ([]string, error) {
	var pages []string
	err := fs.WalkDir(os.DirFS(s.site), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".html") && path != "404.html" && path != changedPage && !hidden(path) {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	picked := make([]string, n)
	for i := range picked {
		picked[i] = pages[i*len(pages)/n]
	}
	return picked, nil
}

// hidden reports whether git hosts or the scan leave a path out.
func hidden(path string) bool {
	return strings.HasPrefix(path, ".") || strings.Contains(path, "/.")
}

func (s *steps) injected(want []drift) string {
	var kinds []string
	for _, d := range want {
		kinds = append(kinds, fmt.Sprintf("%s on %s", d.kind, d.origin))
	}
	return strings.Join(kinds, ", ")
}

// caught wants a check to find the injected drift, all of it and nothing else.
func (s *steps) caught(ctx context.Context, want []drift) (string, error) {
	v, err := s.check(ctx, diff.Drifts)
	if err != nil {
		return "", err
	}
	got := found(v)
	byText := func(a, b drift) int { return cmp.Compare(a.String(), b.String()) }
	slices.SortFunc(got, byText)
	slices.SortFunc(want, byText)
	if !slices.Equal(got, want) {
		return "", fmt.Errorf("found %v, want %v", got, want)
	}
	return fmt.Sprintf("exit code 1: %d of %d, each on its origin under its name", len(got), len(want)), nil
}

func found(v diff.Verdict) []drift {
	var all []drift
	for _, o := range v.Origins {
		for _, d := range o.Differences {
			all = append(all, drift{d.Origin, d.Path, d.Kind})
		}
	}
	return all
}

// heal mends the edge, which no publish can, and publishes over the rest.
func (s *steps) heal(ctx context.Context, want []drift) (string, error) {
	for _, d := range want {
		for _, o := range s.lab.Origins() {
			o.Override(urlOf(d.path), nil)
		}
	}
	return s.publish(ctx, "live")
}
