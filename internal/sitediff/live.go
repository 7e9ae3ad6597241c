package sitediff

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"mirror/internal/compare"
	"mirror/internal/contentdiff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/reports"
	"mirror/site"
)

// maxPage bounds a page of a live site whose size is not known, in bytes.
const maxPage = 256 << 20

// Unread is a page of a live site that says neither what it holds nor that it is not there.
type Unread struct{ Path, Why string }

// Live reads what a live site serves at some pages. With hostless, links to the site's own host count as
// relative ones. The error is ctx's, or says that the site gave no page at all.
func Live(ctx context.Context, client *origin.Client, pages []origin.Page, hostless bool) (Side, []Unread, error) {
	l := &liveSite{client: client, hostless: hostless, pages: map[string]origin.Page{}, seen: map[string]bool{}}
	about := reports.DiffSide{Name: client.Endpoint().URL.String(), Kind: "url"}
	within, stop := survey.UntilSilent(ctx, client, survey.Silence{For: silences * client.Endpoint().Timeout})
	defer stop()
	survey.Each(within, client.Concurrency(), 0, len(pages), func(i int) { l.see(within, pages[i]) })
	if ctx.Err() != nil {
		return Side{}, nil, context.Cause(ctx)
	}
	l.notAsked(pages, context.Cause(within))
	if len(l.files) == 0 && l.absent == 0 && len(l.unread) > 0 {
		return Side{}, nil, fmt.Errorf("%s: no page can be read: %s: %s", about.Name, l.unread[0].Path, l.unread[0].Why)
	}
	slices.SortFunc(l.files, func(a, b site.File) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(l.unread, func(a, b Unread) int { return strings.Compare(a.Path, b.Path) })
	return Side{DiffSide: about, Manifest: l.files, Read: l.read}, l.unread, nil
}

// silences is for how many timeouts of a page a site may answer nothing before it is given up.
const silences = 3

// liveSite collects what one site serves.
type liveSite struct {
	client   *origin.Client
	hostless bool

	mu     sync.Mutex // guards what follows
	files  site.Manifest
	pages  map[string]origin.Page // of the files, by path
	absent int
	unread []Unread
	seen   map[string]bool // the paths that were asked for
}

// notAsked notes the pages that were not asked for, since the site fell silent.
func (l *liveSite) notAsked(pages []origin.Page, why error) {
	for _, p := range pages {
		if !l.seen[p.Path] {
			l.unread = append(l.unread, Unread{p.Path, fmt.Sprintf("not asked: %v", why)})
		}
	}
}

// see asks for a page.
func (l *liveSite) see(ctx context.Context, p origin.Page) {
	o, body := l.fetch(ctx, p)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[p.Path] = true
	switch {
	case o.Err != nil:
		l.unread = append(l.unread, Unread{p.Path, o.Err.Error()})
	case o.Status == http.StatusNotFound || o.Status == http.StatusGone:
		l.absent++
	case o.Status != http.StatusOK:
		l.unread = append(l.unread, Unread{p.Path, fmt.Sprintf("answered %d", o.Status)})
	default:
		f := site.File{Path: p.Path, Size: o.Size, Digest: o.Digest}
		if body != nil {
			f.Size, f.Digest = int64(len(body)), sha256.Sum256(body)
		}
		p.Size = o.Size
		l.files = append(l.files, f)
		l.pages[p.Path] = p
	}
}

// fetch asks for a page, and returns the text of one that is compared without its host.
func (l *liveSite) fetch(ctx context.Context, p origin.Page) (o site.Observation, body []byte) {
	var kept *capped
	if l.hostless {
		p.Keep = func(status int, _ http.Header) io.Writer {
			if kept = nil; status == http.StatusOK {
				kept = &capped{}
				return kept
			}
			return nil
		}
	}
	if p.Size > 0 {
		o = l.client.Fetch(ctx, p)
	} else {
		o = origin.FetchAny(ctx, l.client.Fetch, p, maxPage)
	}
	if kept != nil && !kept.over && o.Err == nil {
		body = compare.Hostless(l.client.Endpoint().URL, o.Header.Get("Content-Type"), kept.Bytes())
	}
	return o, body
}

// read reads a page again.
func (l *liveSite) read(ctx context.Context, f site.File) ([]byte, error) {
	l.mu.Lock()
	p := l.pages[f.Path]
	l.mu.Unlock()
	var kind string
	text := &capped{}
	p.Keep = func(_ int, h http.Header) io.Writer { *text, kind = capped{}, h.Get("Content-Type"); return text }
	o := l.client.Fetch(ctx, p)
	switch {
	case o.Err != nil:
		return nil, o.Err
	case o.Status != http.StatusOK:
		return nil, fmt.Errorf("answered %d when it was read again", o.Status)
	case text.over:
		return nil, fmt.Errorf("it is larger than %d MiB", contentdiff.MaxBytes>>20)
	case l.hostless:
		return compare.Hostless(l.client.Endpoint().URL, kind, text.Bytes()), nil
	}
	return text.Bytes(), nil
}

// capped keeps the beginning of a body.
type capped struct {
	bytes.Buffer
	over bool
}

// Write never fails.
func (c *capped) Write(p []byte) (int, error) {
	keep := min(len(p), contentdiff.MaxBytes-c.Len())
	c.over = c.over || keep < len(p)
	c.Buffer.Write(p[:keep])
	return len(p), nil
}
