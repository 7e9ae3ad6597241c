package sitediff

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/reports"
	"mirror/site"
)

// Bounds of what is asked of each origin.
const (
	MaxAsked    = 200 // paths
	askPatience = time.Minute
)

// AddServed asks each origin which of the two states it serves at the first MaxAsked paths that differ.
func AddServed(ctx context.Context, d *reports.Diff, a, b Side, origins []origin.Endpoint) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	answers := make([][]string, len(origins))
	rows := make([]reports.DiffOrigin, len(origins))
	var all sync.WaitGroup
	for i, at := range origins {
		all.Go(func() { rows[i], answers[i] = ask(ctx, at, d.Changes, a, b) })
	}
	all.Wait()
	d.Origins = append(d.Origins, rows...)
	for i := range d.Changes[:min(len(d.Changes), MaxAsked)] {
		d.Changes[i].Serves = map[string]string{}
		for j, at := range origins {
			d.Changes[i].Serves[at.Name] = answers[j][i]
		}
	}
}

// ask asks one origin.
func ask(ctx context.Context, at origin.Endpoint, changes []reports.DiffChange, a, b Side) (reports.DiffOrigin, []string) {
	row := reports.DiffOrigin{Name: at.Name, URL: at.URL.String()}
	client := origin.New(at)
	defer client.Close()
	n := min(len(changes), MaxAsked)
	answers := make([]string, n)
	var seeing sync.Mutex
	page := func(i int) origin.Page {
		return origin.Page{Path: changes[i].Path, URL: at.Style.URLPath(changes[i].Path), Size: max(changes[i].OldBytes, changes[i].NewBytes)}
	}
	agrees := func(i int, o site.Observation) bool {
		return which(o, changes[i].Path, a, b) != "other" && o.Err == nil
	}
	_ = survey.Pages(ctx, client, n, page, agrees, func(i int, o site.Observation) { // what was not asked is unread
		seeing.Lock()
		defer seeing.Unlock()
		answers[i] = which(o, changes[i].Path, a, b)
		if answers[i] == "unread" && row.Error == "" {
			row.Error = changes[i].Path + ": " + o.Err.Error()
		}
	})
	for i, answer := range answers {
		switch answer {
		case "a":
			row.A++
		case "b":
			row.B++
		case "other":
			row.Other++
		default:
			answers[i] = "unread"
			row.Unread++
		}
	}
	row.Unread += len(changes) - n
	return row, answers
}

// which says which of the two states an answer is of.
func which(o site.Observation, path string, a, b Side) string {
	switch {
	case a.has(o, path):
		return "a"
	case b.has(o, path):
		return "b"
	case o.Err != nil && !errors.Is(o.Err, site.ErrTooLong):
		return "unread"
	}
	return "other"
}

// has reports whether an answer is what the state has at a path.
func (s Side) has(o site.Observation, path string) bool {
	f, ok := s.Manifest.Find(path)
	if !ok {
		return o.Err == nil && (o.Status == http.StatusNotFound || o.Status == http.StatusGone)
	}
	return o.Err == nil && o.Status == http.StatusOK && o.Digest == f.Digest
}
