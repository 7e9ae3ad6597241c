package purge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
)

// cloudflare purges by URL: https://developers.cloudflare.com/api/resources/cache/methods/purge/
type cloudflare struct {
	address, token string
	batch          int // URLs a request
	client         *client
}

// Purge sends the URLs in batches, one after another: the rate is limited for an account, and a limit says when to go on.
func (c *cloudflare) Purge(ctx context.Context, b Batch) (int, error) {
	var n atomic.Int64
	for part := range slices.Chunk(b.URLs, c.batch) {
		if err := c.send(ctx, part, &n); err != nil {
			return int(n.Load()), fmt.Errorf("cloudflare: %w", err)
		}
	}
	return int(n.Load()), nil
}

func (c *cloudflare) send(ctx context.Context, part []string, n *atomic.Int64) error {
	body, err := json.Marshal(map[string][]string{"files": part})
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + c.token}}
	a, err := c.client.do(ctx, request{method: http.MethodPost, url: c.address, body: body, header: header}, n)
	if err != nil {
		return err
	}
	var said struct {
		Success bool `json:"success"`
		Errors  []struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	readable := json.Unmarshal(a.body, &said) == nil
	switch {
	case a.good() && readable && said.Success:
		return nil
	case len(said.Errors) > 0:
		a.body = fmt.Appendf(nil, "%s (code %d)", said.Errors[0].Message, said.Errors[0].Code)
		return refusal(a)
	case a.good():
		return errors.New("the answer does not say that it was done")
	}
	return refusal(a)
}
