package purge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"mirror/internal/notify"
	"mirror/site"
)

// webhookBatch is how many URLs a webhook gets at once.
const webhookBatch = 1000

// webhook posts the URLs as mirror.purge/v1.
type webhook struct {
	address, token, secret string
	client                 *client
}

// webhookBody is what a webhook gets.
type webhookBody struct {
	Schema  string   `json:"schema"` // mirror.purge/v1
	Origin  string   `json:"origin"`
	Site    string   `json:"site"`
	Release site.ID  `json:"release"`
	Again   int      `json:"again"` // 0 at first
	URLs    []string `json:"urls"`
}

// Purge posts the batch in parts.
func (w *webhook) Purge(ctx context.Context, b Batch) (int, error) {
	var n atomic.Int64
	for part := range slices.Chunk(b.URLs, webhookBatch) {
		if err := w.post(ctx, b, part, &n); err != nil {
			return int(n.Load()), fmt.Errorf("webhook at %s: %w", hostOf(w.address), err)
		}
	}
	return int(n.Load()), nil
}

func (w *webhook) post(ctx context.Context, b Batch, part []string, n *atomic.Int64) error {
	body, err := json.Marshal(webhookBody{"mirror.purge/v1", b.Origin, b.Site.String(), b.Release, b.Again, part})
	if err != nil {
		return err
	}
	r := request{method: http.MethodPost, url: w.address, body: body, header: http.Header{"Content-Type": {"application/json"}}}
	if w.token != "" {
		r.header.Set("Authorization", "Bearer "+w.token)
	}
	if w.secret != "" {
		r.sign = func(_ context.Context, req *http.Request, body []byte) error {
			req.Header.Set(notify.SignatureHeader, notify.Sign(w.secret, body, time.Now()))
			return nil
		}
	}
	a, err := w.client.do(ctx, r, n)
	if err == nil && !a.good() {
		err = refusal(a)
	}
	return err
}

// hostOf is the part of an address that is no secret.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "its URL"
	}
	return u.Host
}
