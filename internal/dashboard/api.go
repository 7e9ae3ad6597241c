package dashboard

import (
	"net/http"

	"mirror/internal/summary"
	"mirror/reports"
)

// listing is one page of a list of the API.
type listing struct {
	Schema string `json:"schema"`
	Items  any    `json:"items"`
	Next   string `json:"next"` // address of the next, older page; "" on the last
}

// lookup makes a document for a request.
type lookup func(r *http.Request) (any, error)

// api adds the addresses of the API.
func (d *Dashboard) api(mux *http.ServeMux) {
	for path, read := range map[string]lookup{
		"overview":       d.overviewDocument,
		"origins":        d.originDocuments,
		"origins/{name}": d.originDocument,
		"checks":         d.checkDocuments,
		"episodes":       d.episodeDocuments,
		"episodes/{id}":  d.episodeDocument,
		"publishes":      d.publishDocuments,
		"publishes/{id}": d.publishDocument,
		"staged":         d.stagedDocuments,
		"jobs":           d.jobDocuments,
		"jobs/{name}":    d.runDocuments,
	} {
		mux.HandleFunc("GET /api/v1/"+path, d.document(read))
	}
	mux.HandleFunc("/api/", d.document(func(*http.Request) (any, error) { return nil, errNotFound }))
	starts := newStarter(d.options, d.access)
	mux.Handle("/api/v1/check", starts.of(plainWork(d.options.Check)))
	mux.Handle("/api/v1/publish", starts.of(plainWork(d.options.Publish)))
	mux.Handle("/api/v1/rollback", starts.of(rollbackWork(d.options.Rollback)))
}

// document answers with JSON.
func (d *Dashboard) document(read lookup) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		doc, err := read(r)
		if err != nil {
			status, p := d.explain(r.Context(), r.URL.Path, err)
			d.answer(w, status, refusal{p.Text})
			return
		}
		d.answer(w, http.StatusOK, doc)
	}
}

func (d *Dashboard) overviewDocument(r *http.Request) (any, error) { return d.overview(r) }

func (d *Dashboard) originDocuments(r *http.Request) (any, error) {
	o, err := d.overview(r)
	return listing{Schema: "mirror.origins/v1", Items: o.Origins}, err
}

func (d *Dashboard) originDocument(r *http.Request) (any, error) {
	overview, err := d.overview(r)
	if err != nil {
		return nil, err
	}
	for _, o := range overview.Origins {
		if o.Name == r.PathValue("name") {
			o.Schema = "mirror.origin/v1"
			return o, nil
		}
	}
	return nil, errNotFound
}

func (d *Dashboard) checkDocuments(r *http.Request) (any, error) {
	before, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	rows, err := d.reader.Checks(r.Context(), before, limit)
	return listing{"mirror.checks/v1", rows, older(r, rows, limit, checkKey)}, err
}

func (d *Dashboard) episodeDocuments(r *http.Request) (any, error) {
	before, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	rows, err := d.reader.Episodes(r.Context(), summary.EpisodeFilter{
		Origin: query.Get("origin"), Open: query.Get("open") == "true", Before: before, Limit: limit,
	})
	return listing{"mirror.episodes/v1", rows, older(r, rows, limit, episodeKey)}, err
}

func (d *Dashboard) episodeDocument(r *http.Request) (any, error) { return d.episode(r) }

func (d *Dashboard) publishDocuments(r *http.Request) (any, error) {
	before, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	rows, err := d.reader.Publishes(r.Context(), before, limit)
	return listing{"mirror.publishes/v1", rows, older(r, rows, limit, publishKey)}, err
}

func (d *Dashboard) publishDocument(r *http.Request) (any, error) { return d.publish(r) }

func (d *Dashboard) jobDocuments(*http.Request) (any, error) {
	return listing{Schema: "mirror.jobs/v1", Items: append([]reports.Job{}, d.options.Jobs()...)}, nil
}

func (d *Dashboard) stagedDocuments(*http.Request) (any, error) {
	return listing{Schema: "mirror.staged/v1", Items: append([]reports.StagedRelease{}, d.options.Staged()...)}, nil
}

func (d *Dashboard) runDocuments(r *http.Request) (any, error) {
	before, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	rows, err := d.reader.JudgedRuns(r.Context(), runsBefore(r.PathValue("name"), before, limit))
	return listing{"mirror.runs/v1", rows, older(r, rows, limit, runKey)}, err
}
