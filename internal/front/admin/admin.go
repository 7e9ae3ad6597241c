// Package admin shows how a front stands to the people who run it: as a page, as JSON and as metrics, to this
// machine or to who has the token.
package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/front"
	"mirror/internal/front/hint"
	"mirror/internal/netname"
	"mirror/site"
)

// Path is where the status is served, and MetricsPath the metrics.
const (
	Path        = "/-/front"
	MetricsPath = Path + "/metrics"
)

// Handler serves the status of a front, and passes all other requests on to it.
type Handler struct {
	front   *front.Front
	token   string
	metrics http.Handler
	hints   http.Handler // nil where none are taken
}

// New returns the handler of a front. Who sends the token sees the status from anywhere; without one only
// this machine does.
func New(f *front.Front, token, version string) *Handler {
	return &Handler{front: f, token: token, metrics: newMetrics(f, version)}
}

// TakeHints has the handler pass hints of publishes on. Call it before the first request.
func (h *Handler) TakeHints(hints http.Handler) { h.hints = hints }

// ServeHTTP serves the status at Path.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if len(path) < len(Path) || path[:3] != "/-/" || path != Path && path != MetricsPath && (path != hint.Path || h.hints == nil) {
		h.front.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case path == hint.Path:
		h.hints.ServeHTTP(w, r) // each is signed
	case !h.allowed(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="mirror front"`)
		http.Error(w, "the status is for this machine, or for who sends the token of front.token_env", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case path == MetricsPath:
		h.metrics.ServeHTTP(w, r)
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		writePage(w, statusOf(h.front.Status()))
	default:
		w.Header().Set("Content-Type", "application/json")
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		_ = e.Encode(statusOf(h.front.Status())) // the reader may have gone
	}
}

// allowed reports whether a request may see the status. One that another proxy on this machine has passed
// on comes from elsewhere.
func (h *Handler) allowed(r *http.Request) bool {
	if h.token != "" {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(h.token))
		return subtle.ConstantTimeCompare(got[:], want[:]) == 1
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	name, _, splitErr := net.SplitHostPort(r.Host)
	if splitErr != nil {
		name = r.Host
	}
	return err == nil && netname.IsLoopback(host) && netname.IsLoopback(strings.Trim(name, "[]")) // else a page in a browser here could ask under a name of its own
}

// Status is the document.
type Status struct {
	Schema    string    `json:"schema"`
	Release   site.ID   `json:"release"`
	Sequence  int64     `json:"sequence"`
	Rollback  bool      `json:"rollback"`
	Published time.Time `json:"published"`
	Since     time.Time `json:"since"`
	Files     int       `json:"files"`
	Quorum    int       `json:"quorum"`
	Reachable bool      `json:"reachable"`
	Requests  int64     `json:"requests"`
	Cached    int64     `json:"cached"`
	Fetched   int64     `json:"fetched"`
	Failures  int64     `json:"failures"`
	Wrong     int64     `json:"wrong"`
	Moves     int64     `json:"moves"`
	Streams   int64     `json:"streams"` // bodies too large to be verified before they were sent
	Cuts      int64     `json:"cuts"`    // of those, the ones that turned out wrong and were cut
	Hints     int64     `json:"hints"`   // signed ones of publishes
	Cache     Cache     `json:"cache"`
	Origins   []Origin  `json:"origins"`
}

// Cache is what the front keeps.
type Cache struct {
	MemoryBytes int64 `json:"memory_bytes"`
	DiskBytes   int64 `json:"disk_bytes"`
	DiskFiles   int   `json:"disk_files"`
	Damaged     int64 `json:"damaged"`
}

// Origin is one origin.
type Origin struct {
	Name     string     `json:"name"`
	URL      string     `json:"url"`
	State    string     `json:"state"` // current, behind, ahead, unreachable, or a kind of drift
	Release  site.ID    `json:"release"`
	Sequence int64      `json:"sequence"`
	Holds    bool       `json:"holds"`
	Circuit  string     `json:"circuit"` // closed or open
	Kind     diff.Kind  `json:"kind"`    // of the trouble, "" for none
	Path     string     `json:"path"`
	Detail   string     `json:"detail"`
	Since    *time.Time `json:"since,omitempty"`
	P50      float64    `json:"p50_ms"`
	P95      float64    `json:"p95_ms"`
	Served   int64      `json:"served"`
	Share    float64    `json:"share"` // of the bodies that came from origins
	Failed   int64      `json:"failed"`
}

func statusOf(s front.Status) Status {
	doc := Status{
		Schema: "mirror.front-status/v1", Release: s.Release, Sequence: s.Sequence, Rollback: s.Rollback, Published: s.Published.UTC(), Since: s.Since.UTC(),
		Files: s.Files, Quorum: s.Quorum, Reachable: s.Reachable,
		Requests: s.Requests, Cached: s.Cached, Fetched: s.Fetched, Failures: s.Failures, Wrong: s.Wrong, Moves: s.Moves, Streams: s.Streams, Cuts: s.Cuts, Hints: s.Hints,
		Cache:   Cache{s.Cache.Memory, s.Cache.Disk, s.Cache.Files, s.Cache.Damaged},
		Origins: []Origin{},
	}
	var all int64
	for _, o := range s.Origins {
		all += o.Served
	}
	for _, o := range s.Origins {
		doc.Origins = append(doc.Origins, originOf(s, o, all))
	}
	return doc
}

func originOf(s front.Status, o front.OriginStatus, all int64) Origin {
	row := Origin{
		Name: o.Name, URL: o.URL, State: stateOf(s, o), Release: o.Release, Sequence: o.Sequence, Holds: o.Holds, Circuit: "closed",
		Kind: o.Trouble.Kind, Path: o.Trouble.Path, Detail: o.Trouble.Detail,
		P50: millis(o.P50), P95: millis(o.P95), Served: o.Served, Failed: o.Failed,
	}
	if o.Open {
		row.Circuit = "open"
	}
	if !o.Since.IsZero() {
		since := o.Since.UTC()
		row.Since = &since
	}
	if all > 0 {
		row.Share = float64(o.Served) / float64(all)
	}
	return row
}

func stateOf(s front.Status, o front.OriginStatus) string {
	switch {
	case o.Trouble.Kind != "":
		return string(o.Trouble.Kind)
	case !o.Answers:
		return string(diff.Unreachable)
	case o.Current:
		return "current"
	case o.Sequence > s.Sequence:
		return "ahead"
	}
	return "behind"
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
