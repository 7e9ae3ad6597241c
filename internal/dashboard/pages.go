package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"mirror/internal/history"
)

// listed is how many rows a page of a list has.
const listed = 50

var (
	errNotFound = errors.New("there is no such page")
	errQuery    = errors.New("the address makes no sense")
)

// nowView is the overview.
type nowView struct {
	standing
	Checks []history.Check
	Shown  int // days
}

func (d *Dashboard) nowPage(r *http.Request) (string, any, error) {
	s, err := d.standing(r.Context())
	if err != nil {
		return "", nil, err
	}
	checks, err := d.options.Source.ChecksBefore(r.Context(), 0, 8)
	if err != nil {
		return "", nil, fmt.Errorf("read the checks: %w", err)
	}
	return s.Verdict(), nowView{s, checks, shownDays}, nil
}

// originView is one origin.
type originView struct {
	Origin   originStanding
	Check    history.Check
	Episodes []history.Episode
	Shown    int // days
}

func (d *Dashboard) originPage(r *http.Request) (string, any, error) {
	s, err := d.standing(r.Context())
	if err != nil {
		return "", nil, err
	}
	name := r.PathValue("name")
	i := slices.IndexFunc(s.Origins, func(o originStanding) bool { return o.Name == name })
	if i < 0 {
		return "", nil, errNotFound
	}
	episodes, err := d.options.Source.Episodes(r.Context(), history.EpisodeFilter{Origin: name, Limit: 20})
	if err != nil {
		return "", nil, fmt.Errorf("read what drifted: %w", err)
	}
	return name, originView{s.Origins[i], s.Check, episodes, shownDays}, nil
}

func (d *Dashboard) publishesPage(r *http.Request) (string, any, error) {
	before, err := number(r, "before")
	if err != nil {
		return "", nil, err
	}
	rows, err := d.options.Source.PublishesBefore(r.Context(), before, listed)
	if err != nil {
		return "", nil, fmt.Errorf("read the publishes: %w", err)
	}
	l := list{Caption: "Publishes, the latest first", Rows: rows}
	if len(rows) == listed {
		l.Older = fmt.Sprintf("/publishes?before=%d", rows[listed-1].ID)
	}
	return "Releases", l, nil
}

// publishView is one publish.
type publishView struct {
	Publish history.Publish
	Picture *picture
}

func (d *Dashboard) publishPage(r *http.Request) (string, any, error) {
	id, err := identity(r)
	if err != nil {
		return "", nil, err
	}
	p, ok, err := d.options.Source.Publish(r.Context(), id)
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("read the publish: %w", err)
	case !ok:
		return "", nil, errNotFound
	}
	return "Release " + p.Release.Short(), publishView{p, pictureOf(p.Window)}, nil
}

func (d *Dashboard) episodesPage(r *http.Request) (string, any, error) {
	before, err := number(r, "before")
	if err != nil {
		return "", nil, err
	}
	rows, err := d.options.Source.Episodes(r.Context(), history.EpisodeFilter{Before: before, Limit: listed})
	if err != nil {
		return "", nil, fmt.Errorf("read what drifted: %w", err)
	}
	l := list{Caption: "Drift, the latest first", Rows: rows}
	if len(rows) == listed {
		l.Older = fmt.Sprintf("/episodes?before=%d", rows[listed-1].ID)
	}
	return "Drift", l, nil
}

func (d *Dashboard) episodePage(r *http.Request) (string, any, error) {
	id, err := identity(r)
	if err != nil {
		return "", nil, err
	}
	e, ok, err := d.options.Source.Episode(r.Context(), id)
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("read what drifted: %w", err)
	case !ok:
		return "", nil, errNotFound
	}
	return fmt.Sprintf("%s: %s", e.Origin, e.Kind), e, nil
}

func (d *Dashboard) checksPage(r *http.Request) (string, any, error) {
	before, err := number(r, "before")
	if err != nil {
		return "", nil, err
	}
	rows, err := d.options.Source.ChecksBefore(r.Context(), before, listed)
	if err != nil {
		return "", nil, fmt.Errorf("read the checks: %w", err)
	}
	l := list{Caption: "Checks, the latest first", Rows: rows}
	if len(rows) == listed {
		l.Older = fmt.Sprintf("/checks?before=%d", rows[listed-1].ID)
	}
	return "Checks", l, nil
}

// historyView is the heat map.
type historyView struct {
	Heat  heat
	Spans []heatSpan
}

type heatSpan struct {
	Days    int
	Current bool
}

func (d *Dashboard) historyPage(r *http.Request) (string, any, error) {
	view := historyView{}
	shown := shownDays
	asked, err := number(r, "days")
	if err != nil {
		return "", nil, err
	}
	for _, days := range []int{30, 90, 365} {
		if int(asked) == days {
			shown = days
		}
	}
	for _, days := range []int{30, 90, 365} {
		view.Spans = append(view.Spans, heatSpan{days, days == shown})
	}
	tomorrow := d.options.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	from := tomorrow.AddDate(0, 0, -shown)
	days, err := d.options.Source.Days(r.Context(), from)
	if err != nil {
		return "", nil, fmt.Errorf("read the days: %w", err)
	}
	var names []string
	for _, o := range d.options.Origins {
		names = append(names, o.Name)
	}
	view.Heat = heatOf(days, names, from, tomorrow)
	return "History", view, nil
}

// jobsView is the jobs, or one of them, and how their runs went.
type jobsView struct {
	Name  string
	Jobs  []JobStatus
	Runs  []history.Run
	Older string
}

func (d *Dashboard) jobsPage(r *http.Request) (string, any, error) {
	runs, err := d.runs(r.Context(), history.RunFilter{Limit: 20})
	return "Jobs", jobsView{Jobs: d.options.Jobs(), Runs: runs}, err
}

func (d *Dashboard) jobPage(r *http.Request) (string, any, error) {
	view := jobsView{Name: r.PathValue("name")}
	for _, job := range d.options.Jobs() {
		if job.Name == view.Name {
			view.Jobs = append(view.Jobs, job)
		}
	}
	before, err := number(r, "before")
	if err != nil {
		return "", nil, err
	}
	filter := history.RunFilter{Job: view.Name, Limit: listed}
	if before > 0 {
		filter.Before = time.Unix(0, before)
	}
	if view.Runs, err = d.runs(r.Context(), filter); err != nil {
		return "", nil, err
	}
	if len(view.Runs)+len(view.Jobs) == 0 {
		return "", nil, errNotFound
	}
	if len(view.Runs) == listed {
		view.Older = fmt.Sprintf("/jobs/%s?before=%d", url.PathEscape(view.Name), view.Runs[listed-1].Started.UnixNano())
	}
	return "Job " + view.Name, view, nil
}

func (d *Dashboard) runs(ctx context.Context, f history.RunFilter) ([]history.Run, error) {
	runs, err := d.options.Source.Runs(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("read the runs: %w", err)
	}
	return runs, nil
}

// identity reads the number in a path.
func identity(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, errNotFound
	}
	return id, nil
}

// number reads a number of the query, 0 where it is not given.
func number(r *http.Request, key string) (int64, error) {
	text := r.URL.Query().Get(key)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: %s is no number", errQuery, key)
	}
	return n, nil
}
