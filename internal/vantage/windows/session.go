package windows

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"mirror/internal/origin"
	"mirror/internal/vantage"
	"mirror/internal/vantage/clock"
	"mirror/internal/watch"
)

// Bus carries asks to agents and their reports back.
type Bus interface {
	// Agents lists the agents that are enrolled.
	Agents(ctx context.Context) ([]vantage.Agent, error)
	// Ask sends an ask without waiting. What is lost is asked again.
	Ask(ask Ask) error
	// Reports returns what comes back for a watch, until ctx ends.
	Reports(ctx context.Context, watch string) (<-chan Heard, error)
}

// Heard is a report, and when it came.
type Heard struct {
	Report
	At time.Time
}

// Places watch from all places that are enrolled.
type Places struct {
	Bus   Bus
	Drift float64 // of the agents' clocks; 0 for clock.DefaultDrift
	NewID func() string
	Since time.Time // when the bus was connected: agents are heard of soon after
}

// BeginOptions say how agents begin to watch.
type BeginOptions struct {
	Baseline bool          // look what is live before the watch begins
	Patience time.Duration // of an agent, for what was live before
	Limit    time.Duration // of the watch; agents end it by themselves after that
}

// How often an agent is asked: in the beginning and at the end, when the round trips make the bounds, and in between.
const (
	quickly     = 20 * time.Millisecond
	calmly      = 500 * time.Millisecond
	roundTrips  = 8
	lastTrips   = 3
	lastWithin  = 5 * time.Second
	mostSamples = 512
	mostFlight  = 64
	// unlimited is how many requests a second all agents together send to an origin that has no limit of its own.
	unlimited = 400
)

// Session is one watch from many places. It is safe for concurrent use.
type Session struct {
	places *Places
	id     string
	task   *Task
	zero   time.Time // of durations on this machine's clock
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex // guards what follows
	agents  []*agent
	hurried map[int]int // how many wait for an origin, by its index
	ending  bool
	changed chan struct{} // closed and made anew whenever something was learnt
}

// agent is what a session knows of one agent.
type agent struct {
	place   string
	boot    string // of its Hello, "" for none
	missing string // why it is not used, "" where it is
	began   bool
	number  int               // of the last ask
	asked   map[int]time.Time // when an ask was sent that is not answered
	last    time.Time         // when it was last asked
	heard   time.Time         // when it last answered
	samples []clock.Sample
	trips   int // that were answered
	full    []Seen
	fullAt  time.Time // when the ask of full was sent
	seen    []Seen
}

// Share returns the origins as this machine watches them beside n agents, and as each of the agents does: a rate
// is one budget for all.
func Share(origins []origin.Endpoint, n int) (here []origin.Endpoint, agents []vantage.Origin) {
	for _, at := range origins {
		share := float64(unlimited) / float64(max(n, 1))
		if at.Rate > 0 {
			share = at.Rate / float64(n+1)
		}
		to := vantage.OriginOf(at, share)
		to.Uniques = at.Uniques.Split(n)
		agents = append(agents, to)
		if at.Rate > 0 && n > 0 {
			at.Rate, at.Pace = share, nil
		}
		here = append(here, at)
	}
	return here, agents
}

// Begin has agents begin to watch; Ready waits until they have. Close the session after use.
func (p *Places) Begin(ctx context.Context, agents []vantage.Agent, origins []vantage.Origin, o watch.Options, b BeginOptions) (*Session, error) {
	s := &Session{
		places: p, id: p.NewID(), zero: time.Now(), hurried: map[int]int{}, changed: make(chan struct{}),
		task: taskOf(o, origins, b.Baseline, b.Limit, b.Patience),
	}
	for _, a := range agents {
		s.agents = append(s.agents, &agent{place: a.Place, boot: a.Hello.Boot, asked: map[int]time.Time{}, missing: unable(a)})
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	reports, err := p.Bus.Reports(ctx, s.id)
	if err != nil {
		s.stop()
		return nil, err
	}
	s.done.Go(func() { s.listen(ctx, reports) })
	s.done.Go(func() { s.askAll(ctx) })
	return s, nil
}

// unable says why an agent cannot watch, "" where it can.
func unable(a vantage.Agent) string {
	switch {
	case a.Heard.IsZero():
		return "its agent has not been heard of"
	case time.Since(a.Heard) > vantage.Silence:
		return fmt.Sprintf("its agent was last heard of at %s", a.Heard.UTC().Format(time.RFC3339))
	case a.Hello.Newest < Since || a.Hello.Oldest > vantage.Protocol:
		return fmt.Sprintf("its agent speaks versions %d to %d of the protocol, and windows need %d (hint: install the same version of mirror on both)", a.Hello.Oldest, a.Hello.Newest, Since)
	}
	return ""
}

// Able counts the agents that can watch.
func Able(agents []vantage.Agent) (n int) {
	for _, a := range agents {
		if unable(a) == "" {
			n++
		}
	}
	return n
}

// Ready waits until all agents have begun, and drops those that have not when ctx ends.
func (s *Session) Ready(ctx context.Context) {
	s.until(ctx, func(a *agent) bool { return a.began && a.trips >= roundTrips })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.agents {
		if a.missing == "" && !a.began {
			a.missing = "its agent had not begun to watch when the first commit did"
			if a.trips == 0 {
				a.missing = "its agent did not answer"
			}
		}
	}
	s.wake()
}

// until waits until something is true of all agents that are used, or ctx ends.
func (s *Session) until(ctx context.Context, is func(a *agent) bool) {
	for {
		s.mu.Lock()
		waits := slices.ContainsFunc(s.agents, func(a *agent) bool { return a.missing == "" && !is(a) })
		changed := s.changed
		s.mu.Unlock()
		if !waits {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// wake wakes who waits. The caller must hold mu.
func (s *Session) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// askAll asks each agent when it is due until ctx ends.
func (s *Session) askAll(ctx context.Context) {
	tick := time.NewTicker(quickly)
	defer tick.Stop()
	for {
		s.mu.Lock()
		var asks []Ask
		for _, a := range s.agents {
			if ask, ok := s.due(a); ok {
				asks = append(asks, ask)
			}
		}
		s.mu.Unlock()
		for _, ask := range asks {
			_ = s.places.Bus.Ask(ask) // the next one comes soon
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// due returns what an agent is to be asked now. The caller must hold mu.
func (s *Session) due(a *agent) (Ask, bool) {
	now := time.Now()
	if a.missing != "" {
		return Ask{}, false
	}
	if heard := later(a.heard, s.zero); now.Sub(heard) > vantage.Silence && a.began {
		a.missing = fmt.Sprintf("its agent fell silent at %s", heard.UTC().Format(time.RFC3339))
		s.wake()
		return Ask{}, false
	}
	pause := calmly
	if a.trips < roundTrips || !a.began || s.ending {
		pause = quickly
	}
	maps.DeleteFunc(a.asked, func(_ int, sent time.Time) bool { return now.Sub(sent) > vantage.Silence }) // lost
	if now.Sub(a.last) < pause || len(a.asked) >= mostFlight {
		return Ask{}, false
	}
	return s.ask(a, now), true
}

// ask makes the next ask of an agent. The caller must hold mu.
func (s *Session) ask(a *agent, now time.Time) Ask {
	a.number++
	a.last, a.asked[a.number] = now, now
	ask := Ask{Kind: KindAsk, Place: a.place, Watch: s.id, Number: a.number, Full: s.ending || a.number%4 == 0}
	if a.trips == 0 {
		ask.Task = s.task
	}
	for i, n := range s.hurried {
		if n > 0 {
			ask.Hurry = append(ask.Hurry, i)
		}
	}
	slices.Sort(ask.Hurry)
	return ask
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// listen takes in reports until ctx ends.
func (s *Session) listen(ctx context.Context, reports <-chan Heard) {
	for {
		select {
		case <-ctx.Done():
			return
		case h := <-reports:
			s.mu.Lock()
			if i := slices.IndexFunc(s.agents, func(a *agent) bool { return a.place == h.Place }); i >= 0 && s.agents[i].missing == "" {
				s.take(s.agents[i], h)
				s.wake()
			}
			s.mu.Unlock()
		}
	}
}

// take takes in a report. The caller must hold mu.
func (s *Session) take(a *agent, h Heard) {
	if h.Refused != "" {
		a.missing = cut(h.Refused)
		return
	}
	if len(h.Origins) != 0 && len(h.Origins) != len(s.task.Origins) {
		a.missing = fmt.Sprintf("its agent reported %d origins, %d were to be watched", len(h.Origins), len(s.task.Origins))
		return
	}
	a.heard, a.began = h.At, a.began || h.Began
	if len(h.Origins) > 0 {
		a.seen = h.Origins
	}
	sent, ok := a.asked[h.Number]
	if !ok {
		return
	}
	delete(a.asked, h.Number)
	a.trips++
	a.samples = append(thinned(a.samples), clock.Sample{Sent: sent.Sub(s.zero), Received: h.At.Sub(s.zero), Read: h.Read, Boot: h.Boot})
	if h.Full && len(h.Origins) > 0 {
		a.full, a.fullAt = h.Origins, sent
	}
}

// thinned drops every second round trip where there are many, but keeps the first and the last: the bounds become
// wider between them, and what they say of a suspended machine stays.
func thinned(all []clock.Sample) []clock.Sample {
	if len(all) < mostSamples {
		return all
	}
	var kept []clock.Sample
	for i, s := range all {
		if i%2 == 0 || i == len(all)-1 {
			kept = append(kept, s)
		}
	}
	return kept
}

// maxText bounds what an agent says of itself, in bytes.
const maxText = 512

func cut(text string) string { return text[:min(len(text), maxText)] }

// Changed returns a channel that is closed when something has been learnt since.
func (s *Session) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Hurry has what a barrier waits for requested more often at the named origins, until calm is called.
func (s *Session) Hurry(names []string) (calm func()) {
	add := func(n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, o := range s.task.Origins {
			if slices.Contains(names, o.Name) {
				s.hurried[i] += n
			}
		}
		for _, a := range s.agents {
			a.last = time.Time{} // it is asked at once
		}
	}
	add(1)
	return func() { add(-1) }
}

// Live counts the agents that have seen an origin live, of those that watch.
func (s *Session) Live(name string) (live, watching int) {
	return s.count(name, func(seen Seen) bool { return seen.Live })
}

// Settled reports whether an origin has settled at all places that watch it.
func (s *Session) Settled(name string) bool {
	settled, watching := s.count(name, func(seen Seen) bool { return seen.Settled })
	return settled == watching
}

func (s *Session) count(name string, is func(Seen) bool) (n, watching int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.task.Origins, func(o vantage.Origin) bool { return o.Name == name })
	for _, a := range s.agents {
		if a.missing != "" || at < 0 {
			continue
		}
		watching++
		if at < len(a.seen) && is(a.seen[at]) {
			n++
		}
	}
	return n, watching
}

// Close ends the session. Agents end their watch when they hear of it, or nothing for a while.
func (s *Session) Close() {
	s.stop()
	s.done.Wait()
	s.mu.Lock()
	var asks []Ask
	for _, a := range s.agents {
		ask := s.ask(a, time.Now())
		ask.End, ask.Task = true, nil
		asks = append(asks, ask)
	}
	s.mu.Unlock()
	for _, ask := range asks {
		_ = s.places.Bus.Ask(ask) // else the agent ends it when it hears nothing
	}
}
