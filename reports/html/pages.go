package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

//go:embed assets
var assets embed.FS

// view is what the layout shows around a page.
type view struct {
	Title   string
	Path    string
	Now     time.Time
	Version string
	Notice  string // about the daemon itself
	Assets  string // changes when the stylesheet or the script does
	Nav     []navItem
	Data    any
}

type navItem struct {
	Name, Path string
	Current    bool
}

// list is a table of many.
type list struct {
	Caption string
	Rows    any
	Plain   bool   // without links
	Older   string // address of the next page, "" for none
}

// now reads the clock once for a page.
type now struct{ at time.Time }

func (n now) since(t time.Time) time.Duration { return n.at.Sub(t) }

// pages are the templates of all pages by name, and the files that they load.
type pages struct {
	byName  map[string]*template.Template
	version string
}

// newPages parses what is embedded, so that it panics in every test or never.
func newPages() pages {
	p := pages{byName: map[string]*template.Template{}}
	files, err := fs.Glob(assets, "assets/pages/*.html")
	if err != nil {
		panic(err)
	}
	funcs := funcsAt(time.Time{})
	for _, file := range files {
		t := template.New("layout.html").Funcs(funcs)
		p.byName[strings.TrimSuffix(path.Base(file), ".html")] = template.Must(t.ParseFS(assets, "assets/*.html", file))
	}
	sum := sha256.New()
	for _, name := range []string{"assets/style.css", "assets/live.js"} {
		text, err := assets.ReadFile(name)
		if err != nil {
			panic(err)
		}
		sum.Write(text)
	}
	p.version = hex.EncodeToString(sum.Sum(nil))[:12]
	return p
}

// render writes a page, whole or not at all.
func (p pages) render(page string, v view) ([]byte, error) {
	t, err := p.byName[page].Clone()
	if err != nil {
		return nil, err
	}
	v.Assets = p.version
	var b bytes.Buffer
	err = t.Funcs(funcsAt(v.Now)).Execute(&b, v)
	return b.Bytes(), err
}

// funcsAt are the words with what depends on the clock and on the history.
func funcsAt(at time.Time) template.FuncMap {
	all := words(at)
	maps.Copy(all, template.FuncMap{
		"since":      now{at}.since,
		"strip":      func(days []history.Day) strip { return stripOf(days, at, shownDays) },
		"stateClass": stateClass,
		"openness":   openness,
		"lasted":     lasted,
		"window":     windowWords,
		"found":      found,
		"list": func(caption string, rows any, plain bool) list {
			return list{Caption: caption, Rows: rows, Plain: plain}
		},
	})
	return all
}

// stateClass is good, bad, warn or idle: a class, so that nothing of ours is a style.
func stateClass(state any) string {
	switch sign(state) {
	case "✓":
		return "good"
	case "✗":
		return "bad"
	case "!":
		return "warn"
	}
	return "idle"
}

// openness tells whether an episode lasts.
func openness(e history.Episode) string {
	if e.Closed.IsZero() {
		return "open"
	}
	return "over"
}

// lasted bounds how long an episode was: what two checks saw, and what they may have missed.
func lasted(e history.Episode) string {
	least := e.LastSeen.Sub(e.Opened)
	if e.LastGood.IsZero() {
		return "at least " + span(least)
	}
	return span(least) + " to " + span(e.Closed.Sub(e.LastGood))
}

// windowWords says how long a window was.
func windowWords(w *diff.Window) string {
	switch {
	case w == nil || w.Pages == 0:
		return "not watched"
	case !w.Closed:
		return "open after at least " + took(w.Lower)
	}
	return took(w.Lower) + " to " + took(w.Upper)
}

// found says of a check in a few words what it saw.
func found(c history.Check) string {
	var parts []string
	for _, o := range c.Origins {
		if o.State != diff.Agrees {
			parts = append(parts, strings.TrimSpace(show(o.Name)+" "+withSign(o.State)))
		}
	}
	if len(parts) == 0 {
		return plural(len(c.Origins), "origin") + " agree" + verb(len(c.Origins), "s", "")
	}
	return strings.Join(parts, ", ")
}

// navigation lists the pages for the head of one at a path.
func navigation(at string) []navItem {
	items := []navItem{{"Now", "/", false}, {"Releases", "/publishes", false}, {"Drift", "/episodes", false}, {"History", "/history", false}, {"Jobs", "/jobs", false}}
	for i, item := range items {
		items[i].Current = at == item.Path || item.Path != "/" && strings.HasPrefix(at, item.Path+"/")
	}
	return items
}

// asset serves one embedded file. Pages ask for it with its version, so that it may be kept.
func asset(name, mediaType string) http.HandlerFunc {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "public, max-age=86400")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(text))
	}
}
