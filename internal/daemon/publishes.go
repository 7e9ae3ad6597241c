package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/history"
	"mirror/internal/notify"
)

// publishesBack is how many publishes are looked through for when they began to fail.
const publishesBack = 1000

// notifyPublishes notifies when publishes begin to fail, and when one went well again.
func (d *Daemon) notifyPublishes(ctx context.Context) {
	newest, err := d.options.History.PublishesBefore(ctx, 0, publishesBack)
	if err != nil {
		d.options.Log.Error("cannot read how publishes ended", "err", err)
		return
	}
	newest = slices.DeleteFunc(newest, ignorable)
	well, failed := failingSince(newest)
	if len(failed) == 0 {
		return
	}
	first, last := failed[len(failed)-1], failed[0]
	event := notify.Event{
		Kind: notify.PublishFailed, Opened: first.Started, Lines: []string{last.Err}, Reason: firstLine(last.Err),
		Title: what(last) + " " + outcomeText(last.Outcome), URL: d.link(fmt.Sprintf("publishes/%d", last.ID)),
	}
	d.mu.Lock()
	if d.alarms.failing == 0 {
		d.alarms.failing = first.ID
	}
	event.Episode = fmt.Sprintf("publish/%d", d.alarms.failing)
	if well != nil {
		d.alarms.failing = 0
		event.Closed = well.Started.Add(well.Elapsed)
		event.Ended = fmt.Sprintf("publishes succeed again: release %s is live everywhere", well.Release.Short())
	}
	d.mu.Unlock()
	d.send(event)
}

// notifyWindow notifies of a publish for which the origins surely disagreed for too long.
func (d *Daemon) notifyWindow(p history.Publish) {
	limit := d.current().WindowLimit
	if limit == 0 || p.Window == nil || p.Window.Lower <= limit {
		return
	}
	event := notify.Event{
		Kind: notify.Window, Episode: fmt.Sprintf("window/%d", p.ID), Opened: p.Started,
		Title: fmt.Sprintf("during a publish the origins disagreed for at least %s (allowed: %s)", p.Window.Lower.Round(time.Millisecond), limit),
		URL:   d.link(fmt.Sprintf("publishes/%d", p.ID)),
	}
	if last := slowest(*p.Window); last != "" {
		event.Title += "; the last one was " + last
	}
	event.Ended = event.Title
	d.send(event)
	if p.Window.Closed {
		event.Closed = p.Started.Add(p.Elapsed)
		d.send(event)
	}
}

// slowest is the origin that showed all of a release last, "" for none.
func slowest(w diff.Window) (name string) {
	var at time.Time
	for _, o := range w.Origins {
		if turned := o.AllNew.Before; !o.Unchanged && (len(o.Open) > 0 || turned.After(at)) {
			name, at = o.Name, turned
		}
		if len(o.Open) > 0 {
			return name
		}
	}
	return name
}

// firstLine is the first line of a text.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// interrupted is the outcome of a publish that was told to stop, and after which every origin serves
// what it served before.
const interrupted = "interrupted"

// unchanged is the outcome of a publish of what all targets held before.
const unchanged = "unchanged"

// ignorable reports whether a publish changed nothing, and was interrupted, was run by a person or
// found origins that drift: checks notify of that.
func ignorable(p history.Publish) bool {
	return p.Outcome == interrupted || p.Outcome == "failed" && p.Job == "" || p.Outcome == unchanged && p.Err != ""
}

// failingSince returns the latest publishes in a row that failed, and the first that went
// well after them, nil for none. The newest come first.
func failingSince(newest []history.Publish) (well *history.Publish, failed []history.Publish) {
	for i, p := range newest {
		good := p.Outcome == "live" || p.Outcome == unchanged
		switch {
		case !good:
			failed = append(failed, p)
		case len(failed) > 0:
			return well, failed
		default:
			well = &newest[i]
		}
	}
	return well, failed
}

// what is what a publish was, in the titles of alerts.
func what(p history.Publish) string {
	if p.Details.Rollback {
		return "rollback"
	}
	return "publish"
}

func outcomeText(outcome string) string {
	switch outcome {
	case "diverged":
		return "was committed, and not every origin serves it"
	case "rolled_back":
		return "failed and was rolled back: every origin is on the old release"
	case "mixed":
		return "failed and could not be rolled back: origins may be mixed"
	}
	return "failed: no origin was changed"
}
