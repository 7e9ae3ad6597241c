package daemon

import (
	"log/slog"
	"time"

	"mirror/scheduler"
)

// logEvent writes what the scheduler does into the log.
func (d *Daemon) logEvent(e scheduler.Event) {
	log := d.options.Log.With("job", e.Slot.Job)
	switch e.Kind {
	case scheduler.EventStarted:
		log.Debug("started", "slot", e.Slot.At, "reason", string(e.Slot.Reason))
	case scheduler.EventFinished:
		finished(log, e.Result)
	case scheduler.EventPanicked:
		log.Error("a job panicked", "err", e.Err)
	case scheduler.EventSkipped:
		if !d.leads() {
			log.Debug("another daemon of the group runs the slot", "slot", e.Slot.At)
			return
		}
		log.Warn("a slot is passed over: the job is running, or the slot was run before", "slot", e.Slot.At)
	case scheduler.EventMissed:
		log.Warn("slots were missed", "missed", e.Slot.Missed, "next", e.Slot.At)
	case scheduler.EventStepped:
		d.options.Log.Warn("the clock leapt, or the machine slept", "by", e.By.Round(time.Second))
	case scheduler.EventUnrecorded:
		log.Error("the history cannot be written; the job runs nevertheless", "err", e.Err)
	}
}

func finished(log *slog.Logger, r scheduler.Result) {
	log = log.With("took", r.Took.Round(time.Millisecond))
	switch r.Outcome {
	case scheduler.Done:
		log.Debug("done")
	case scheduler.Interrupted:
		log.Warn("a job was interrupted")
	default:
		log.Error("a job did not come to its end", "outcome", string(r.Outcome), "err", r.Err)
	}
}
