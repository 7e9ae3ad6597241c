// Package html shows report documents as web pages: those that the dashboard serves, and the
// report of a period as one file.
//
// Text from an origin (names, titles, bodies, errors) is hostile input. It goes
// through html/template's escaping and nowhere else, and the pages may load nothing but their
// own stylesheet and script.
package html

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"time"
)

//go:embed assets
var assets embed.FS

// Page is what one page shows.
type Page interface {
	Title() string
	template() string // under assets/pages, without .html
}

// Frame is what stands around every page.
type Frame struct {
	Path    string // of the page
	Now     time.Time
	Version string
	Notice  string // about the daemon itself, "" for none
	Login   bool   // whether the token would show more
}

// view is what the layout's template sees.
type view struct {
	Frame
	Title  string
	Assets string // changes when the stylesheet or the script does
	Nav    []navItem
	Data   any
}

// Renderer makes pages. It is safe for concurrent use.
type Renderer struct {
	byName  map[string]*template.Template
	version string
}

// NewRenderer parses what is embedded, so that it panics in every test or never.
func NewRenderer() *Renderer {
	r := &Renderer{byName: map[string]*template.Template{}}
	files, err := fs.Glob(assets, "assets/pages/*.html")
	if err != nil {
		panic(err)
	}
	funcs := funcsAt(time.Time{})
	for _, file := range files {
		t := template.New("layout.html").Funcs(funcs)
		r.byName[strings.TrimSuffix(path.Base(file), ".html")] = template.Must(t.ParseFS(assets, "assets/*.html", file))
	}
	sum := sha256.New()
	for _, name := range []string{"style.css", "live.js", "rollback.js"} {
		sum.Write(Asset(name))
	}
	r.version = hex.EncodeToString(sum.Sum(nil))[:12]
	return r
}

// Render writes a page, whole or not at all.
func (r *Renderer) Render(f Frame, p Page) ([]byte, error) {
	t, err := r.byName[p.template()].Clone()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Funcs(funcsAt(f.Now)).Execute(&b, view{Frame: f, Title: p.Title(), Assets: r.version, Nav: navigation(f.Path), Data: p})
	return b.Bytes(), err
}

// Asset returns a file that pages load: style.css, live.js or favicon.svg. It panics where
// there is none of that name.
func Asset(name string) []byte {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err)
	}
	return text
}

type navItem struct {
	Name, Path string
	Current    bool
}

// navigation lists the pages for the head of one at a path.
func navigation(at string) []navItem {
	items := []navItem{{"Now", "/", false}, {"Releases", "/publishes", false}, {"Drift", "/episodes", false}, {"History", "/history", false}, {"Jobs", "/jobs", false}}
	for i, item := range items {
		items[i].Current = at == item.Path || item.Path != "/" && strings.HasPrefix(at, item.Path+"/")
	}
	return items
}
