package scheduler

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Ledger remembers which slots were begun, so that none is run twice, whatever becomes of
// the process or the clock. A slot that was begun and whose end was lost stays begun: the
// next slot runs. What was triggered has no slot and is not in it.
//
// A job that is new to the ledger begins with an entry of outcome Added, at the time when
// the job was taken up: without it, a process that is restarted across each slot would miss
// them all and not know.
type Ledger interface {
	// Last returns the latest slot of a job that was begun, false where there is none.
	Last(ctx context.Context, job string) (slot time.Time, ok bool, err error)
	// Begin notes that a slot begins. It is false, and notes nothing, where the slot had
	// begun before. On return the note outlives the process.
	Begin(ctx context.Context, job string, slot time.Time) (bool, error)
	// End notes how a slot that was begun went: the text of an Outcome.
	End(ctx context.Context, job string, slot time.Time, outcome string) error
}

// remembered is how many slots of a job a Memory knows: enough for the clock to go back by
// a day at a slot a minute.
const remembered = 1440

// Memory is a Ledger that is forgotten with the process, and knows the latest slots only.
// The zero Memory is empty. It is safe for concurrent use.
type Memory struct {
	mu    sync.Mutex
	slots map[string][]entry
}

type entry struct {
	slot    time.Time
	outcome string // "" until it has ended
}

// Last returns the latest slot of a job that was begun.
func (m *Memory) Last(_ context.Context, job string) (time.Time, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last time.Time
	for _, e := range m.slots[job] {
		last = later(last, e.slot)
	}
	return last, len(m.slots[job]) > 0, nil
}

// Begin notes that a slot begins.
func (m *Memory) Begin(_ context.Context, job string, slot time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.find(job, slot) >= 0 {
		return false, nil
	}
	if m.slots == nil {
		m.slots = map[string][]entry{}
	}
	known := m.slots[job]
	if len(known) == remembered {
		known = slices.Delete(known, 0, 1)
	}
	m.slots[job] = append(known, entry{slot: slot})
	return true, nil
}

// End notes how a slot went.
func (m *Memory) End(_ context.Context, job string, slot time.Time, outcome string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.find(job, slot); i >= 0 {
		m.slots[job][i].outcome = outcome
	}
	return nil
}

// find returns where a slot is, -1 for nowhere. Most are asked for soon after they were noted.
func (m *Memory) find(job string, slot time.Time) int {
	known := m.slots[job]
	for i := len(known) - 1; i >= 0; i-- {
		if known[i].slot.Equal(slot) {
			return i
		}
	}
	return -1
}
