package publish

import (
	"context"
	"sync"
	"time"

	"mirror/targets"
)

// stage takes the release everywhere. The first failure ends the others: nothing of them
// is visible, and what they stored is there for the next run.
func (p *publication) stage(ctx context.Context) error {
	p.options.Events.Phase("stage")
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	return p.everywhere(func(i int, d targets.Destination, r *TargetReport) error {
		if !needed(r.Plan, p.rel.ID()) {
			return nil
		}
		meter := &meter{next: p.options.Events.Staging(d.Name)}
		began := time.Now()
		err := p.stageAt(ctx, d, meter)
		r.Stage = time.Since(began)
		r.SentFiles, r.SentBytes = meter.total()
		if err != nil {
			giveUp()
			return &Error{Phase: "stage", Destination: d.Name, Err: err}
		}
		return nil
	})
}

// stageAt stages at one destination, where nothing is to be seen of it so that nothing is.
func (p *publication) stageAt(ctx context.Context, d targets.Destination, progress targets.Progress) error {
	if f, prefills := d.Target.(targets.Prefiller); prefills && p.unseen {
		return f.StageUnseen(ctx, p.rel, progress)
	}
	return d.Stage(ctx, p.rel, progress)
}

// meter counts what is sent on its way to who shows it.
type meter struct {
	next  targets.Progress
	mu    sync.Mutex
	files int
	bytes int64
}

// Expect passes on.
func (m *meter) Expect(files int, bytes int64) { m.next.Expect(files, bytes) }

// Sent counts and passes on.
func (m *meter) Sent(files int, bytes int64) {
	m.mu.Lock()
	m.files += files
	m.bytes += bytes
	m.mu.Unlock()
	m.next.Sent(files, bytes)
}

func (m *meter) total() (files int, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.files, m.bytes
}
