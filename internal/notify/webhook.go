package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// webhook posts messages as mirror.event/v1.
type webhook struct {
	address string
	secret  string
	client  *http.Client
}

func newWebhook(address, secret string) *webhook { return &webhook{address, secret, newClient()} }

// Send posts a message and waits for an answer of success.
func (w *webhook) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(document(m))
	if err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	header := http.Header{"X-Mirror-Delivery": {m.ID}}
	if w.secret != "" {
		header.Set(SignatureHeader, Sign(w.secret, body, time.Now()))
	}
	answer, err := post(ctx, w.client, w.address, header, body)
	if err != nil {
		return err
	}
	return refusedInBody(answer)
}
