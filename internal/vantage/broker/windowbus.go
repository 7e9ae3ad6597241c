package broker

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"mirror/internal/vantage/windows"
)

// windowBus is the coordinator's side of watches.
type windowBus struct {
	mu      sync.Mutex
	watches map[string]chan windows.Heard
}

// maxReports is how many reports of a watch wait to be read; further ones are dropped.
const maxReports = 1024

// hear passes a report on. verify says whether it is of the agent of the place.
func (b *windowBus) hear(m *nats.Msg, verify func(place string, data []byte, signature string) error) {
	at := time.Now()
	place := strings.TrimPrefix(m.Subject, windowSubject)
	if verify(place, m.Data, m.Header.Get(sigHeader)) != nil {
		return
	}
	r, ok := windows.DecodeReport(m.Data, place)
	if !ok {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.watches[r.Watch] <- windows.Heard{Report: r, At: at}: // a watch that is not there is nil
	default:
	}
}

// reports returns the reports of a watch until ctx ends.
func (b *windowBus) reports(ctx context.Context, watch string) <-chan windows.Heard {
	to := make(chan windows.Heard, maxReports)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.watches == nil {
		b.watches = map[string]chan windows.Heard{}
	}
	b.watches[watch] = to
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watches, watch)
	})
	return to
}
