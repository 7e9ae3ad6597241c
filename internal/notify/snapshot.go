package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"
)

// snapshot is an outbox as the ledger keeps it, so that the next process goes on where this one
// ends, however it ends.
type snapshot struct {
	Stories []*story
	Waiting []waitingSnapshot
}

// waitingSnapshot is news that wait.
type waitingSnapshot struct {
	News
	Story int // index in Stories
	Keys  []string
	Since time.Time
}

// maxAge is the age from which on only the times of messages are taken from a snapshot. It is not
// more than the time over which an Event is sent again after a restart (see Notifier.Send): episodes
// that ended before that would be said to last.
const maxAge = 24 * time.Hour

// snapshot returns what is worth keeping of the outbox.
func (o *outbox) snapshot() snapshot {
	s := snapshot{Stories: o.stories}
	for _, w := range o.waiting {
		s.Waiting = append(s.Waiting, waitingSnapshot{w.News, slices.Index(o.stories, w.story), w.keys, w.since})
	}
	return s
}

// restore continues with what an earlier process kept at a time.
func (o *outbox) restore(s snapshot, at, now time.Time) {
	old := at.After(now) || now.Sub(at) > maxAge
	s.Stories = slices.DeleteFunc(s.Stories, func(st *story) bool { return st == nil })
	for _, st := range s.Stories {
		st.resume(now)
		if old {
			*st = story{Kind: st.Kind, Origin: st.Origin, Drift: st.Drift, Touched: st.Touched, Told: st.Told}
		}
	}
	o.stories = s.Stories
	for _, w := range s.Waiting {
		usable := !old && w.Story >= 0 && w.Story < len(s.Stories) && o.wishes.wants(w.Event.Kind)
		if usable && !o.wereSent(w.Keys) {
			o.push(&waiting{w.News, s.Stories[w.Story], w.Keys, earlier(w.Since, now)})
		}
	}
}

// wereSent reports whether all keys were told: the process ended between that and the snapshot.
func (o *outbox) wereSent(keys []string) bool {
	return len(keys) > 0 && !slices.ContainsFunc(keys, func(key string) bool { return !o.sent(key) })
}

// resume corrects what a clock that was set back makes impossible.
func (s *story) resume(now time.Time) {
	s.Told = slices.DeleteFunc(s.Told, func(t time.Time) bool { return t.After(now) })
	s.Touched, s.Closed, s.Changed = earlier(s.Touched, now), earlier(s.Closed, now), earlier(s.Changed, now)
}

// load has the outbox continue where an earlier process ended.
func (c *courier) load(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	state, at, err := c.options.Ledger.Load(ctx, c.name)
	var s snapshot
	if err == nil && len(state) > 0 {
		err = json.Unmarshal(state, &s)
	}
	if err != nil {
		c.log.Error("cannot read which notifications wait and which origins flap", "err", c.scrub.error(err))
		return
	}
	c.box.restore(s, at, time.Now())
}

// save keeps the outbox where it is not as it was kept last, after ctx is done too.
func (c *courier) save(ctx context.Context, now time.Time) {
	if !c.box.changed {
		return
	}
	c.box.changed = false
	state, err := json.Marshal(c.box.snapshot())
	if err != nil || bytes.Equal(state, c.saved) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.Timeout)
	defer cancel()
	if err := c.options.Ledger.Save(ctx, c.name, now, state); err != nil {
		c.log.Error("after a restart, notifications may be sent again or more often", "err", c.scrub.error(err))
		c.box.changed = true
		return
	}
	c.saved = state
}
