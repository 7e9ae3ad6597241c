package watch

import (
	"context"
	"net/http"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// Baseline asks every origin once for the changes whose old side is not known, and fills
// it in with what was live. Bytes that differ from origin to origin are returned as
// earlier ones, by path. Pages that gave no whole answer within baselinePatience stay as
// they are. The error is only ctx's.
func Baseline(ctx context.Context, origins []origin.Endpoint, changes []diff.Change, unknown []int) (earlier map[string][]site.Digest, err error) {
	b := &baseline{changes: changes, known: map[int]bool{}, earlier: map[string][]site.Digest{}}
	page := func(at origin.Endpoint) func(i int) origin.Page {
		return func(i int) origin.Page {
			path := changes[unknown[i]].Path
			return origin.Page{Path: path, URL: at.Style.URLPath(path)}
		}
	}
	patient, cancel := context.WithTimeout(ctx, baselinePatience)
	defer cancel()
	var all sync.WaitGroup
	for _, at := range origins {
		all.Go(func() {
			client := origin.New(at)
			defer client.Close()
			// Its error is patient's, which an origin that hangs is not worth.
			_ = client.Observe(patient, len(unknown), page(at), anyAnswer, func(i int, o site.Observation) { b.saw(unknown[i], o) })
		})
	}
	all.Wait()
	return b.earlier, ctx.Err()
}

// baselinePatience bounds how long a publish is held up by an origin that does not answer.
const baselinePatience = 15 * time.Second

func anyAnswer(int, site.Observation) bool { return true }

type baseline struct {
	mu      sync.Mutex
	changes []diff.Change
	known   map[int]bool
	earlier map[string][]site.Digest
}

func (b *baseline) saw(i int, o site.Observation) {
	var d site.Digest
	switch {
	case o.Err != nil:
		return
	case o.Status == http.StatusOK:
		d = o.Digest
	case o.Status != http.StatusNotFound && o.Status != http.StatusGone:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.changes[i]
	switch {
	case d == c.New:
	case !b.known[i]:
		c.Old, b.known[i] = d, true
	default:
		b.earlier[c.Path] = append(b.earlier[c.Path], d)
	}
}
