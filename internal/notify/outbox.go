package notify

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// waiting is news that was not delivered yet, and the ledger's keys of what it tells.
type waiting struct {
	News
	story *story
	keys  []string
	since time.Time
}

// outbox decides what one recipient is told, and when. It does nothing by itself: its owner
// gives it events and takes messages out of it, with the time of each.
type outbox struct {
	name    string
	wishes  wishes
	quiet   Quiet
	options Options
	sent    func(key string) bool // the ledger
	cover   func(keys []string)   // tells the ledger of what is told by other news
	waiting []*waiting            // in the order in which it is told
	stories []*story
	dropped int
	changed bool // since it was kept last
}

// wishes are the kinds that a recipient wants, and those that may disturb it.
type wishes struct{ on, urgent []Kind }

func (w wishes) wants(k Kind) bool {
	return len(w.on) == 0 || slices.Contains(w.on, k) || slices.Equal(w.on, []Kind{Recovered})
}

func (w wishes) wantsOpened(k Kind) bool { return len(w.on) == 0 || slices.Contains(w.on, k) }

func (w wishes) wantsClosed() bool { return len(w.on) == 0 || slices.Contains(w.on, Recovered) }

// take accepts an event.
func (o *outbox) take(e Event, now time.Time) {
	if !o.wishes.wants(e.Kind) {
		return
	}
	s := o.story(e, now)
	o.changed = true
	switch {
	case s.Unsteady:
		o.holdBack(s, e, now)
	case e.closes():
		o.close(s, e, now)
	default:
		o.open(s, e, now)
	}
}

func (o *outbox) open(s *story, e Event, now time.Time) {
	key := o.key(e, false)
	w := o.holding(key)
	switch {
	case w != nil && w.Change == Opened:
		w.Event = e // the news are newer than when they began to wait
		s.note(e)
	case w != nil || o.sent(key):
		o.worsen(s, e, nil, now)
	case s.reopens(now, o.options.Damp) || s.room(now, o.options.PerHour).After(now):
		o.unsettle(s, e, now)
	case o.wishes.wantsOpened(e.Kind):
		s.Worst = extentOf(e)
		o.push(&waiting{News{Change: Opened, Event: e}, s, []string{key}, now})
	}
}

// worsen tells of an episode that is much worse than was told of it. Of a story that an earlier
// program began nothing was noted: then what is known now is the measure.
func (o *outbox) worsen(s *story, e Event, keys []string, now time.Time) {
	switch {
	case s.Worst.Severity == "":
		s.note(e)
	case s.worse(e) && o.wishes.wantsOpened(e.Kind):
		s.note(e)
		o.drop(s, Worse)
		o.push(&waiting{News{Change: Worse, Event: e}, s, keys, now})
	}
}

// drop takes out what waits of a story with a change: something else is told in its place.
func (o *outbox) drop(s *story, c Change) {
	o.waiting = slices.DeleteFunc(o.waiting, func(w *waiting) bool { return w.story == s && w.Change == c })
}

func (o *outbox) close(s *story, e Event, now time.Time) {
	opening, ending := o.key(e, false), o.key(e, true)
	if o.holding(ending) != nil || o.sent(ending) {
		return
	}
	s.Closed = now
	o.drop(s, Worse)
	w := o.holding(opening)
	switch {
	case w != nil:
		w.News, w.keys = News{Change: Passed, Event: e}, append(w.keys, ending)
	case !o.wishes.wantsClosed():
	case o.sent(opening):
		o.push(&waiting{News{Change: Closed, Event: e}, s, []string{ending}, now})
	default:
		o.push(&waiting{News{Change: Passed, Event: e}, s, []string{opening, ending}, now})
	}
}

// unsettle says once that a story flaps, in place of all that waits to be told of it.
func (o *outbox) unsettle(s *story, e Event, now time.Time) {
	s.begin(e, now, o.options.Damp)
	s.note(e)
	keys, since := o.withdraw(s, now)
	keys = append(keys, o.key(e, false))
	if !o.wishes.wantsOpened(e.Kind) {
		o.cover(keys)
		return
	}
	o.push(&waiting{News{Change: Flapping, Event: e, Steady: s.Hold}, s, keys, since})
}

// holdBack keeps an event of a story that flaps back. Only the last one will be told.
func (o *outbox) holdBack(s *story, e Event, now time.Time) {
	same := e.Episode == s.Last.Episode && e.closes() == s.Last.closes()
	if key := o.key(e, e.closes()); !same && (o.holding(key) != nil || o.sent(key)) {
		return
	}
	if !same {
		o.cover(o.keys(s.Last))
		s.Changed = now
		s.Changes++
	}
	s.Last = e
	o.worsen(s, e, []string{o.key(e, false)}, now)
}

// settle tells of the stories that are steady again, and forgets those long past.
func (o *outbox) settle(now time.Time) {
	for _, s := range o.stories {
		if s.Unsteady && !now.Before(s.Changed.Add(s.Hold)) {
			o.settleOne(s, now)
		}
	}
	o.stories = slices.DeleteFunc(o.stories, func(s *story) bool {
		return !s.Unsteady && now.Sub(s.Touched) > memory*o.options.Damp+time.Hour && !o.waits(s)
	})
}

func (o *outbox) settleOne(s *story, now time.Time) {
	o.changed = true
	keys, since := o.withdraw(s, now)
	s.Unsteady, s.Settled = false, now
	keys = append(keys, o.keys(s.Last)...)
	if s.Last.closes() && !o.wishes.wantsClosed() {
		o.cover(keys)
		return
	}
	news := News{Change: Settled, Event: s.Last, Changes: s.Changes, Since: s.Since}
	o.push(&waiting{news, s, keys, since})
}

// push appends news. The oldest is dropped where there is too much.
func (o *outbox) push(w *waiting) {
	if len(o.waiting) >= o.options.Queue {
		o.waiting = o.waiting[1:]
		o.dropped++
	}
	o.waiting = append(o.waiting, w)
}

// withdraw takes out all that waits of a story, and returns its keys and since when it waited.
func (o *outbox) withdraw(s *story, now time.Time) (keys []string, since time.Time) {
	since = now
	o.waiting = slices.DeleteFunc(o.waiting, func(w *waiting) bool {
		if w.story == s {
			keys = append(keys, w.keys...)
			since = earlier(since, w.since)
		}
		return w.story == s
	})
	return keys, since
}

// holding returns the waiting news that tell what a key names, nil without any.
func (o *outbox) holding(key string) *waiting {
	for _, w := range o.waiting {
		if slices.Contains(w.keys, key) {
			return w
		}
	}
	return nil
}

func (o *outbox) waits(s *story) bool {
	return slices.ContainsFunc(o.waiting, func(w *waiting) bool { return w.story == s })
}

// key names an episode's beginning or end in the ledger.
func (o *outbox) key(e Event, ending bool) string {
	if ending {
		return o.name + "/" + e.Episode + "/closed"
	}
	return o.name + "/" + e.Episode + "/opened"
}

// keys are those of all that an event stands for: an end stands for its beginning too.
func (o *outbox) keys(e Event) []string {
	if e.closes() {
		return []string{o.key(e, false), o.key(e, true)}
	}
	return []string{o.key(e, false)}
}

// due is the first moment from now on at which news may be told to this recipient.
func (o *outbox) due(w *waiting, now time.Time) time.Time {
	at := w.story.room(now, o.options.PerHour)
	if slices.Contains(o.wishes.urgent, w.Event.Kind) {
		return at
	}
	return o.quiet.end(at)
}

// batch returns the news that are to be told now, together; none while more may come to
// join them, unless in haste.
func (o *outbox) batch(now time.Time, haste bool) []*waiting {
	var ready []*waiting
	for _, w := range o.waiting {
		if !o.due(w, now).After(now) {
			ready = append(ready, w)
			haste = haste || !now.Before(w.since.Add(o.options.Group))
		}
	}
	if !haste {
		return nil
	}
	return ready
}

// wakeAt is when the outbox is to be looked at again if nothing comes in before.
func (o *outbox) wakeAt(now time.Time) (at time.Time, ok bool) {
	for _, s := range o.stories {
		if settles := s.Changed.Add(s.Hold); s.Unsteady && (!ok || settles.Before(at)) {
			at, ok = settles, true
		}
	}
	for _, w := range o.waiting {
		if told := later(o.due(w, now), w.since.Add(o.options.Group)); !ok || told.Before(at) {
			at, ok = told, true
		}
	}
	return at, ok
}

// sending counts a message with these news towards those of the hour. The function that it returns
// says how that came out: taken at a time, or not taken and not counted.
func (o *outbox) sending(batch []*waiting, now time.Time) (done func(at time.Time, taken bool)) {
	o.changed = true
	before := map[*story][]time.Time{}
	for _, w := range batch {
		if _, counted := before[w.story]; !counted {
			before[w.story] = slices.Clone(w.story.Told)
			w.story.tell(now)
		}
	}
	return func(at time.Time, taken bool) {
		o.changed = true
		for s, told := range before {
			if s.Told = told; taken {
				s.tell(at)
			}
		}
		if taken {
			o.waiting = slices.DeleteFunc(o.waiting, func(w *waiting) bool { return slices.Contains(batch, w) })
		}
	}
}

// story returns the story that an event belongs to.
func (o *outbox) story(e Event, now time.Time) *story {
	drift := strings.Join(slices.Sorted(maps.Keys(e.Counts)), ",")
	i := slices.IndexFunc(o.stories, func(s *story) bool { return s.Kind == e.Kind && s.Origin == e.Origin && s.Drift == drift })
	if i < 0 {
		i = len(o.stories)
		o.stories = append(o.stories, &story{Kind: e.Kind, Origin: e.Origin, Drift: drift})
	}
	o.stories[i].Touched = now
	return o.stories[i]
}
