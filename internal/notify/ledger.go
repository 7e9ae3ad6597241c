package notify

import (
	"context"
	"sync"
	"time"
)

// Ledger remembers what was told, so that a restart tells nothing twice, and no more often than the
// process before would have. It is asked from several goroutines at once. A key names a recipient,
// an episode, and its beginning or end.
type Ledger interface {
	// Sent reports whether what the key names was told.
	Sent(ctx context.Context, key string) (bool, error)
	// Record notes an attempt to tell it: told at that time if err is nil. An err has no secrets.
	Record(ctx context.Context, key string, at time.Time, err error) error
	// Load returns the state that Save kept last for a recipient, and when; nil for none.
	Load(ctx context.Context, recipient string) (state []byte, at time.Time, err error)
	// Save keeps the state of a recipient in place of an earlier one: which origins flap, when
	// messages were sent and which wait. It has no secrets.
	Save(ctx context.Context, recipient string, at time.Time, state []byte) error
}

// Memory is a Ledger that forgets: at once when the process ends, and the oldest of many keys.
type Memory struct {
	mu     sync.Mutex
	sent   map[string]bool
	order  []string
	keep   int
	states map[string]state // by recipient
}

// state is what Save keeps.
type state struct {
	at   time.Time
	text []byte
}

var _ Ledger = (*Memory)(nil)

// NewMemory returns a ledger of the last so many keys.
func NewMemory(keep int) *Memory {
	return &Memory{sent: map[string]bool{}, keep: keep, states: map[string]state{}}
}

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

// Load returns the state that was saved last.
func (m *Memory) Load(_ context.Context, recipient string) ([]byte, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.states[recipient]
	return kept.text, kept.at, nil
}

// Save keeps the state.
func (m *Memory) Save(_ context.Context, recipient string, at time.Time, text []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.states[recipient] = state{at, text}
	return nil
}
