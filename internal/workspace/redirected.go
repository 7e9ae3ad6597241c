package workspace

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"strings"

	"mirror/internal/redirects"
	"mirror/internal/regular"
	"mirror/site"
)

// redirected adds the pages of the site's redirects to a release. A rule of the config that cannot be a page is an
// error; of those of a file it is a warning.
func (w *Workspace) redirected(root *os.Root, rel *site.Release) (*site.Release, error) {
	taken := func(p string) bool { return p == rel.BeaconPath || occupied(rel.Manifest, p) }
	pages, wrong := redirects.Pages(w.ownRedirects(), taken)
	if len(wrong) > 0 {
		return nil, usage(fmt.Errorf("%s: site.redirects: %s", w.Config.File, strings.Join(wrong, "; ")))
	}
	rules, left, err := w.fileRedirects(root)
	if err != nil {
		return nil, err
	}
	more, wrong := redirects.Pages(rules, func(p string) bool { _, own := pages[p]; return own || taken(p) })
	w.warnOfRedirects(append(left, wrong...))
	maps.Copy(pages, more)
	w.warnOfLoops(pages)
	files := make(map[string][]byte, len(pages))
	for p, page := range pages {
		files[p] = page.HTML()
	}
	if len(files) == 0 {
		return rel, nil
	}
	rel = rel.With(files)
	rel.Redirects = destinationsOf(w.redirectsIn(rel.Manifest))
	return rel, nil
}

// redirectsIn returns the pages of a release that stand for redirects of the config as it is now: those whose
// bytes are the page's.
func (w *Workspace) redirectsIn(m site.Manifest) map[string]redirects.Page {
	rules := w.ownRedirects()
	if w.Config.Site.RedirectsFile != "" {
		if root, err := site.Open(w.Config.Site.Dir); err == nil {
			more, _, _ := w.fileRedirects(root) // the scan has told what is wrong with it
			rules = append(rules, more...)
			_ = root.Close() // it was only read
		}
	}
	if len(rules) == 0 {
		return nil
	}
	pages, _ := redirects.Pages(rules, func(string) bool { return false })
	maps.DeleteFunc(pages, func(p string, page redirects.Page) bool {
		f, ok := m.Find(p)
		return !ok || f.Digest != sha256.Sum256(page.HTML())
	})
	return pages
}

// locations tells where pages lead, relative to themselves.
func locations(pages map[string]redirects.Page) map[string]string {
	all := make(map[string]string, len(pages))
	for p, page := range pages {
		all[p] = page.Location()
	}
	return all
}

// destinationsOf tells where pages lead, as the rules say.
func destinationsOf(pages map[string]redirects.Page) map[string]string {
	all := make(map[string]string, len(pages))
	for p, page := range pages {
		all[p] = page.To
	}
	return all
}

func (w *Workspace) ownRedirects() []redirects.Rule {
	var rules []redirects.Rule
	for _, r := range w.Config.Site.Redirects {
		rules = append(rules, redirects.Rule{From: r.From, To: r.To, Status: r.Status})
	}
	return rules
}

// fileRedirects reads the file that site.redirects_file names.
func (w *Workspace) fileRedirects(root *os.Root) (rules []redirects.Rule, left []string, err error) {
	name := w.Config.Site.RedirectsFile
	if name == "" {
		return nil, nil, nil
	}
	f, err := regular.OpenIn(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, usage(fmt.Errorf("site.redirects_file: the site has no file %s", name))
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, redirects.MaxFile+1))
	if err == nil && len(text) > redirects.MaxFile {
		err = fmt.Errorf("it has more than %d bytes", redirects.MaxFile)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	rules, left = redirects.Parse(string(text))
	return rules, left, nil
}

// warnOfLoops tells of redirects that lead to each other: their visitors never get a page.
func (w *Workspace) warnOfLoops(pages map[string]redirects.Page) {
	var bases []*url.URL
	for _, t := range w.Config.Targets {
		if t.Origin.URL != nil {
			bases = append(bases, t.Origin.URL)
		}
	}
	for i, loop := range redirects.Loops(pages, bases) {
		if i == told {
			w.options.Warnings.Add("more redirects lead to each other")
			return
		}
		w.options.Warnings.Add("redirects lead to each other, so visitors never get a page: %s (hint: have one of them lead elsewhere)", strings.Join(loop, " → "))
	}
}

// told is how many redirects that are left out are named.
const told = 5

func (w *Workspace) warnOfRedirects(left []string) {
	for i, why := range left {
		if i == told {
			w.options.Warnings.Add("%s: %d more redirects are left out", w.Config.Site.RedirectsFile, len(left)-told)
			return
		}
		w.options.Warnings.Add("%s: a redirect is left out: %s", w.Config.Site.RedirectsFile, why)
	}
}

// occupied reports whether a file at a path would be one of the site's, a folder of it, or below a file.
func occupied(m site.Manifest, p string) bool {
	if _, own := m.Find(p); own || m.HasFolder(p) {
		return true
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if _, file := m.Find(dir); file {
			return true
		}
	}
	return false
}
