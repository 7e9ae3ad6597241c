package broker

import (
	"context"
	"encoding/base64"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"mirror/internal/vantage"
	"mirror/internal/vantage/windows"
)

// askSubject is where an agent is asked about a watch. Asks and reports are not kept: what is lost is asked again.
func askSubject(place string) string { return inboxPrefix + place + ".window" }

// watching is the agent's side of watches.
type watching struct {
	*windows.Agent
	subscription *nats.Subscription
	end          context.CancelFunc
}

// watchFor has an agent take part in watches, until Close.
func watchFor(ctx context.Context, conn *nats.Conn, place string, key nkeys.KeyPair, looker *vantage.Looker, clock windows.Clock, log *slog.Logger) (*watching, error) {
	var once sync.Once
	send := func(r windows.Report) {
		data, err := windows.Encode(r)
		if err == nil {
			var signature []byte
			if signature, err = key.Sign(data); err == nil {
				err = conn.PublishMsg(&nats.Msg{Subject: windowSubject + place, Data: data, Header: nats.Header{sigHeader: {base64.RawURLEncoding.EncodeToString(signature)}}})
			}
		}
		if err != nil {
			once.Do(func() { log.Warn("a report of a watch could not be sent", "err", err) })
		}
	}
	w := &watching{Agent: &windows.Agent{Place: place, Looker: looker, Clock: clock, Send: send}}
	ctx, w.end = context.WithCancel(ctx)
	var err error
	w.subscription, err = conn.Subscribe(askSubject(place), func(m *nats.Msg) {
		if ask, ok := windows.DecodeAsk(m.Data, place); ok {
			w.Take(ctx, ask)
		}
	})
	return w, err
}

// Close ends all watches and waits for them.
func (w *watching) Close() {
	w.end()
	_ = w.subscription.Unsubscribe() // the connection may be gone
	w.Wait()
}
