package daemon

import (
	"context"

	"mirror/internal/daemon/replica"
	"mirror/internal/wait"
)

// receive keeps a record of the group. An error means that it is to come again.
func (d *Daemon) receive(ctx context.Context, text []byte) error {
	r, err := replica.Decode(text)
	if err != nil {
		d.options.Log.Warn("a record of the group cannot be read", "err", err)
		return nil
	}
	ctx, done := wait.Outlive(ctx, 4*recording)
	defer done()
	h := d.options.History
	switch {
	case r.Check != nil:
		err = d.receiveCheck(ctx, r)
	case r.Begun != nil:
		_, err = h.BeginRun(ctx, *r.Begun)
	case r.Ended != nil:
		begun := *r.Ended
		begun.Outcome = ""
		if _, err = h.BeginRun(ctx, begun); err == nil {
			err = h.EndRun(ctx, *r.Ended)
		}
	case r.Sent != nil:
		err = r.Sent.Record(ctx, h)
	}
	d.options.Changed()
	return err
}

// receiveCheck keeps a check, unless it is known.
func (d *Daemon) receiveCheck(ctx context.Context, r replica.Record) error {
	d.records.Lock()
	defer d.records.Unlock()
	known, err := d.options.History.HasCheck(ctx, r.Check.Job, r.Check.Started)
	if err != nil || known {
		return err
	}
	changes, err := d.keep(ctx, r.Check)
	if err != nil {
		return err
	}
	d.options.Log.Info("a check of another daemon", "job", r.Check.Job, "by", r.From, "began", r.Check.Started)
	d.notifyChanges(changes)
	if r.Check.Err == "" {
		d.notifyCertificates(ctx, r.Check.Whole())
	}
	return nil
}
