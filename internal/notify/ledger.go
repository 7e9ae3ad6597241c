package notify

import (
	"context"
	"sync"
	"time"
)

// Ledger remembers what was told, so that a restart tells nothing twice. It is asked from
// several goroutines at once. A key names a recipient, an episode, and its beginning or end.
type Ledger interface {
	// Sent reports whether what the key names was told.
	Sent(ctx context.Context, key string) (bool, error)
	// Record notes an attempt to tell it: told at that time if err is nil. An err has no secrets.
	Record(ctx context.Context, key string, at time.Time, err error) error
}

// Memory is a Ledger that forgets: at once when the process ends, and the oldest of many.
type Memory struct {
	mu    sync.Mutex
	sent  map[string]bool
	order []string
	keep  int
}

var _ Ledger = (*Memory)(nil)

// NewMemory returns a ledger of the last so many keys.
func NewMemory(keep int) *Memory { return &Memory{sent: map[string]bool{}, keep: keep} }

// Sent reports whether the key was recorded without an error.
func (m *Memory) Sent(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent[key], nil
}

// Record notes the key, unless there is an error.
func (m *Memory) Record(_ context.Context, key string, _ time.Time, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || m.sent[key] {
		return nil
	}
	if len(m.order) >= m.keep && len(m.order) > 0 {
		delete(m.sent, m.order[0])
		m.order = m.order[1:]
	}
	m.sent[key], m.order = true, append(m.order, key)
	return nil
}
