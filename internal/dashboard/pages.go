package dashboard

import (
	"net/http"
	"slices"
	"time"

	"mirror/internal/summary"
	"mirror/reports"
	"mirror/reports/html"
)

func (d *Dashboard) nowPage(r *http.Request) (html.Page, error) {
	o, err := d.overview(r)
	if err != nil {
		return nil, err
	}
	checks, err := d.reader.Checks(r.Context(), 0, 8)
	return html.Now{Overview: o, Checks: checks, Shown: shownDays}, err
}

// overview reads how things stand.
func (d *Dashboard) overview(r *http.Request) (reports.Overview, error) {
	o, err := d.reader.Overview(r.Context(), d.options.named(), shownDays)
	o.Overdue = append(o.Overdue, d.options.Overdue()...)
	o.Jobs = append(o.Jobs, d.options.Jobs()...)
	if d.options.Group != nil {
		group := d.options.Group()
		o.Group = &group
	}
	for i := range o.Origins {
		o.Origins[i].Front = d.options.isFront(o.Origins[i].Name)
	}
	return o, err
}

func (d *Dashboard) originPage(r *http.Request) (html.Page, error) {
	o, err := d.overview(r)
	if err != nil {
		return nil, err
	}
	name := r.PathValue("name")
	i := slices.IndexFunc(o.Origins, func(o reports.OriginStatus) bool { return o.Name == name })
	if i < 0 {
		return nil, errNotFound
	}
	episodes, err := d.reader.Episodes(r.Context(), summary.EpisodeFilter{Origin: name, Limit: 20})
	return html.Origin{Origin: o.Origins[i], Check: o.Check, Episodes: episodes, Shown: shownDays}, err
}

func (d *Dashboard) publishesPage(r *http.Request) (html.Page, error) {
	before, err := number(r, "before")
	if err != nil {
		return nil, err
	}
	rows, err := d.reader.Publishes(r.Context(), before, listed)
	return html.Publishes{Staged: d.options.Staged(), Rows: rows, Older: older(r, rows, listed, publishKey)}, err
}

func (d *Dashboard) publishPage(r *http.Request) (html.Page, error) {
	p, err := d.publish(r)
	if err != nil {
		return nil, err
	}
	page := html.Publish{Publish: p}
	err = d.offerRollback(r.Context(), &page)
	return page, err
}

func (d *Dashboard) publish(r *http.Request) (reports.PeriodPublish, error) {
	id, err := identity(r)
	if err != nil {
		return reports.PeriodPublish{}, err
	}
	p, ok, err := d.reader.Publish(r.Context(), id)
	if err == nil && !ok {
		err = errNotFound
	}
	return p, err
}

func (d *Dashboard) episodesPage(r *http.Request) (html.Page, error) {
	before, err := number(r, "before")
	if err != nil {
		return nil, err
	}
	rows, err := d.reader.Episodes(r.Context(), summary.EpisodeFilter{Before: before, Limit: listed})
	return html.Episodes{Rows: rows, Older: older(r, rows, listed, episodeKey)}, err
}

func (d *Dashboard) episodePage(r *http.Request) (html.Page, error) {
	e, err := d.episode(r)
	return html.Episode{Episode: e}, err
}

func (d *Dashboard) episode(r *http.Request) (reports.PeriodEpisode, error) {
	id, err := identity(r)
	if err != nil {
		return reports.PeriodEpisode{}, err
	}
	e, ok, err := d.reader.Episode(r.Context(), id)
	if err == nil && !ok {
		err = errNotFound
	}
	return e, err
}

func (d *Dashboard) checksPage(r *http.Request) (html.Page, error) {
	before, err := number(r, "before")
	if err != nil {
		return nil, err
	}
	rows, err := d.reader.Checks(r.Context(), before, listed)
	return html.Checks{Rows: rows, All: len(d.options.Origins), Older: older(r, rows, listed, checkKey)}, err
}

func (d *Dashboard) historyPage(r *http.Request) (html.Page, error) {
	asked, err := number(r, "days")
	if err != nil {
		return nil, err
	}
	spans, shown := []int{30, 90, 365}, shownDays
	if slices.Contains(spans, int(asked)) {
		shown = int(asked)
	}
	tomorrow := d.options.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	page := html.History{From: tomorrow.AddDate(0, 0, -shown), To: tomorrow}
	for _, days := range spans {
		page.Spans = append(page.Spans, html.Span{Days: days, Current: days == shown})
	}
	for _, o := range d.options.Origins {
		page.Origins = append(page.Origins, o.Name)
	}
	page.Days, err = d.reader.Days(r.Context(), page.From)
	return page, err
}

func (d *Dashboard) jobsPage(r *http.Request) (html.Page, error) {
	runs, err := d.reader.JudgedRuns(r.Context(), summary.RunFilter{Limit: 20})
	return html.Jobs{Jobs: d.options.Jobs(), Runs: runs}, err
}

func (d *Dashboard) jobPage(r *http.Request) (html.Page, error) {
	page := html.Job{Name: r.PathValue("name")}
	for _, job := range d.options.Jobs() {
		if job.Name == page.Name {
			page.Jobs = append(page.Jobs, job)
		}
	}
	before, err := number(r, "before")
	if err != nil {
		return nil, err
	}
	if page.Runs, err = d.reader.JudgedRuns(r.Context(), runsBefore(page.Name, before, listed)); err != nil {
		return nil, err
	}
	if len(page.Runs)+len(page.Jobs) == 0 {
		return nil, errNotFound
	}
	page.Older = older(r, page.Runs, listed, runKey)
	return page, nil
}

// runsBefore picks runs of a job that began before an instant in nanoseconds, or all for 0.
func runsBefore(job string, before int64, limit int) summary.RunFilter {
	filter := summary.RunFilter{Job: job, Limit: limit}
	if before > 0 {
		filter.Before = time.Unix(0, before)
	}
	return filter
}

// The keys by which lists are parted.
func publishKey(p reports.PeriodPublish) int64 { return p.ID }
func episodeKey(e reports.PeriodEpisode) int64 { return e.ID }
func checkKey(c reports.HistoryCheck) int64    { return c.ID }
func runKey(r reports.LoggedRun) int64         { return r.Started.UnixNano() }
