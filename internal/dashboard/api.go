package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"mirror/internal/history"
	"mirror/reports"
)

// maxListed bounds how many rows one answer of the API has.
const maxListed = 500

// listing is one page of a list of the API.
type listing struct {
	Schema string `json:"schema"`
	Items  any    `json:"items"`
	Next   string `json:"next"` // address of the next, older page; "" on the last
}

// reader makes a document for a request.
type reader func(r *http.Request) (any, error)

// api adds the addresses of the API.
func (d *Dashboard) api(mux *http.ServeMux) {
	for path, read := range map[string]reader{
		"overview":       d.overviewDocument,
		"origins":        d.originDocuments,
		"origins/{name}": d.originDocument,
		"checks":         d.checkDocuments,
		"episodes":       d.episodeDocuments,
		"episodes/{id}":  d.episodeDocument,
		"publishes":      d.publishDocuments,
		"publishes/{id}": d.publishDocument,
		"jobs":           d.jobDocuments,
		"jobs/{name}":    d.runDocuments,
	} {
		mux.HandleFunc("GET /api/v1/"+path, d.document(read))
	}
	mux.HandleFunc("/api/", d.document(func(*http.Request) (any, error) { return nil, errNotFound }))
	starts := newStarter(d.options, d.access)
	mux.Handle("/api/v1/check", starts.of(d.options.Check))
	mux.Handle("/api/v1/publish", starts.of(d.options.Publish))
}

// document answers with JSON.
func (d *Dashboard) document(read reader) http.HandlerFunc {
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

// refusal is the document of what is not done.
type refusal struct {
	Error string `json:"error"`
}

// answer answers with JSON that was scrubbed.
func (d *Dashboard) answer(w http.ResponseWriter, status int, doc any) {
	answerWith(w, status, doc, d.options.Scrub)
}

// answer answers with JSON that holds only our own words.
func answer(w http.ResponseWriter, status int, doc any) {
	answerWith(w, status, doc, func(text []byte) []byte { return text })
}

func answerWith(w http.ResponseWriter, status int, doc any, scrub func([]byte) []byte) {
	var b bytes.Buffer
	if err := reports.JSON(&b, doc); err != nil {
		http.Error(w, "no JSON could be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(scrub(b.Bytes())) // the reader may have gone
}

func (d *Dashboard) overviewDocument(r *http.Request) (any, error) {
	s, err := d.standing(r.Context())
	return s.document(), err
}

func (d *Dashboard) originDocuments(r *http.Request) (any, error) {
	s, err := d.standing(r.Context())
	return listing{Schema: "mirror.origins/v1", Items: s.document().Origins}, err
}

func (d *Dashboard) originDocument(r *http.Request) (any, error) {
	s, err := d.standing(r.Context())
	if err != nil {
		return nil, err
	}
	for _, o := range s.document().Origins {
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
	rows, err := d.options.Source.ChecksBefore(r.Context(), before, limit)
	if err != nil {
		return nil, fmt.Errorf("read the checks: %w", err)
	}
	return page("mirror.checks/v1", r, limit, rows, checkOf, func(c history.Check) int64 { return c.ID }), nil
}

func (d *Dashboard) episodeDocuments(r *http.Request) (any, error) {
	before, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	rows, err := d.options.Source.Episodes(r.Context(), history.EpisodeFilter{
		Origin: query.Get("origin"), Open: query.Get("open") == "true", Before: before, Limit: limit,
	})
	if err != nil {
		return nil, fmt.Errorf("read what drifted: %w", err)
	}
	return page("mirror.episodes/v1", r, limit, rows, episodeOf, func(e history.Episode) int64 { return e.ID }), nil
}

func (d *Dashboard) episodeDocument(r *http.Request) (any, error) {
	_, found, err := d.episodePage(r)
	if err != nil {
		return nil, err
	}
	return episodeOf(found.(history.Episode)), nil
}

func (d *Dashboard) publishDocuments(r *http.Request) (any, error) {
	before, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	rows, err := d.options.Source.PublishesBefore(r.Context(), before, limit)
	if err != nil {
		return nil, fmt.Errorf("read the publishes: %w", err)
	}
	return page("mirror.publishes/v1", r, limit, rows, publishOf, func(p history.Publish) int64 { return p.ID }), nil
}

func (d *Dashboard) publishDocument(r *http.Request) (any, error) {
	_, found, err := d.publishPage(r)
	if err != nil {
		return nil, err
	}
	return publishOf(found.(publishView).Publish), nil
}

func (d *Dashboard) jobDocuments(*http.Request) (any, error) {
	return listing{Schema: "mirror.jobs/v1", Items: each(d.options.Jobs(), jobOf)}, nil
}

func (d *Dashboard) runDocuments(r *http.Request) (any, error) {
	before, limit, err := paging(r)
	if err != nil {
		return nil, err
	}
	filter := history.RunFilter{Job: r.PathValue("name"), Limit: limit}
	if before > 0 {
		filter.Before = time.Unix(0, before)
	}
	rows, err := d.runs(r.Context(), filter)
	if err != nil {
		return nil, err
	}
	return page("mirror.runs/v1", r, limit, rows, runOf, func(r history.Run) int64 { return r.Started.UnixNano() }), nil
}

// paging reads where a list is to begin and how long it is to be.
func paging(r *http.Request) (before int64, limit int, err error) {
	if before, err = number(r, "before"); err != nil {
		return 0, 0, err
	}
	asked, err := number(r, "limit")
	if err != nil {
		return 0, 0, err
	}
	if asked == 0 {
		asked = listed
	}
	return before, int(min(asked, maxListed)), nil
}

// page is a part of a list, with the address of the part that follows it.
func page[T, D any](schema string, r *http.Request, limit int, rows []T, of func(T) D, key func(T) int64) listing {
	l := listing{Schema: schema, Items: each(rows, of)}
	if len(rows) == limit {
		query := url.Values{}
		for name, values := range r.URL.Query() {
			query[name] = values
		}
		query.Set("before", strconv.FormatInt(key(rows[limit-1]), 10))
		l.Next = r.URL.Path + "?" + query.Encode()
	}
	return l
}
