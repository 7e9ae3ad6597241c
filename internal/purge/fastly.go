package purge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// surrogateBatch is how many surrogate keys one request to Fastly may hold.
const surrogateBatch = 256

// fastly purges by URL or by surrogate key: https://www.fastly.com/documentation/reference/api/purging/
type fastly struct {
	api, token, service string
	soft                bool
	keys                []string
	client              *client
}

// Purge sends a request for each URL, or those keys that the config names.
func (f *fastly) Purge(ctx context.Context, b Batch) (int, error) {
	var n atomic.Int64
	err := f.purge(ctx, b, &n)
	if err != nil {
		err = fmt.Errorf("fastly: %w", err)
	}
	return int(n.Load()), err
}

func (f *fastly) purge(ctx context.Context, b Batch, n *atomic.Int64) error {
	if len(f.keys) == 0 {
		return each(ctx, b.URLs, func(ctx context.Context, page string) error {
			_, rest, _ := strings.Cut(page, "://")
			return f.post(ctx, "/purge/"+rest, nil, n)
		})
	}
	for part := range slices.Chunk(f.keys, surrogateBatch) {
		body, err := json.Marshal(map[string][]string{"surrogate_keys": part})
		if err != nil {
			return err
		}
		if err := f.post(ctx, "/service/"+f.service+"/purge", body, n); err != nil {
			return err
		}
	}
	return nil
}

func (f *fastly) post(ctx context.Context, path string, body []byte, n *atomic.Int64) error {
	r := request{method: http.MethodPost, url: f.api + path, body: body, header: http.Header{"Fastly-Key": {f.token}, "Accept": {"application/json"}}}
	if f.soft {
		r.header.Set("Fastly-Soft-Purge", "1")
	}
	if body != nil {
		r.header.Set("Content-Type", "application/json")
	}
	a, err := f.client.do(ctx, r, n)
	if err == nil && !a.good() {
		err = refusal(a)
	}
	return err
}
