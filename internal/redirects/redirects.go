// Package redirects makes pages of a site's redirects, so that every static host can serve them: the
// rules of the config, and those of a file _redirects as Netlify and Cloudflare Pages read it.
package redirects

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// Rule sends visitors of a path to another place.
type Rule struct {
	From   string // path on the site, with a leading slash
	To     string // path on the site with a leading slash, or a URL
	Status int    // 301, 302, 303, 307 or 308
	Line   int    // of the file that has it, 0 for none
}

// FileName is the name that generators give the file.
const FileName = "_redirects"

// Usual is the status of a rule that names none.
const Usual = 301

// IsStatus reports whether a status is that of a redirect.
func IsStatus(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// Why a rule cannot be a page.
var (
	ErrFrom    = errors.New("is not a path of the site (hint: /old/page/)")
	ErrPattern = errors.New("is a pattern, and a static host has no patterns (hint: list each path)")
	ErrTo      = errors.New("is neither a path of the site nor an http or https URL (hint: /new/page/)")
)

// PathOf returns the path in the site of the page for a rule's From: /old/ and /old are old/index.html, and
// /old.html is old.html.
func PathOf(from string) (string, error) {
	u, err := url.Parse(from)
	switch {
	case strings.ContainsAny(from, "*") || strings.Contains(from, "/:"):
		return "", ErrPattern
	case err != nil || u.Scheme != "" || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery || !strings.HasPrefix(from, "/"):
		return "", ErrFrom
	}
	name := strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "/")
	if strings.ContainsAny(name, "\x00\\\n\r") || name != "" && (path.Clean(name) != name || strings.HasPrefix(name, "../") || name == "..") {
		return "", ErrFrom
	}
	if !strings.HasSuffix(from, "/") && path.Ext(name) != "" {
		return name, nil
	}
	return path.Join(name, "index.html"), nil
}

// CheckTo says what is wrong with a rule's To, nil for nothing.
func CheckTo(to string) error {
	u, err := url.Parse(to)
	if err != nil || strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ErrTo
	}
	switch {
	case strings.HasPrefix(to, "//") || strings.Contains(to, `\`):
		return ErrTo
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(to, "/"):
		if strings.Contains(to, "/:") {
			return ErrPattern
		}
		return nil
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil:
		return nil
	}
	return ErrTo
}

// Pages returns the pages of rules by their paths in the site: of two with one path the first. taken says
// which paths the site has itself. A rule that cannot be a page, or has the path of a file of the
// site, is left out, with why.
func Pages(rules []Rule, taken func(path string) bool) (pages map[string]Page, left []string) {
	pages = map[string]Page{}
	for _, r := range rules {
		p, err := PathOf(r.From)
		if err == nil {
			err = CheckTo(r.To)
		}
		_, twice := pages[p]
		switch {
		case err == nil && twice:
			err = errors.New("is there twice")
		case err == nil && taken(p):
			err = fmt.Errorf("has the path of a file of the site, %s", p)
		}
		if err != nil {
			left = append(left, r.describe(err))
			continue
		}
		pages[p] = Page{Rule: r, Path: p}
	}
	return pages, left
}

func (r Rule) describe(err error) string {
	text := r.From
	if errors.Is(err, ErrTo) {
		text = r.To
	}
	if r.Line > 0 {
		return fmt.Sprintf("line %d: %q %v", r.Line, text, err)
	}
	return fmt.Sprintf("%q %v", text, err)
}
