package notify

import (
	"context"
	"sync"
	"time"
)

// Result is how a test message came out.
type Result struct {
	Name string
	To   string // the URL without secrets
	Err  error  // nil if the recipient took it; it has no secrets
	Took time.Duration
}

// Test sends a test message to each recipient, once, whatever it wants and whatever the
// time, and tells in their order who took it. An attempt takes at most 10 s.
func Test(ctx context.Context, recipients []Recipient) []Result {
	recipients = named(recipients)
	results := make([]Result, len(recipients))
	var running sync.WaitGroup
	for i, r := range recipients {
		running.Go(func() { results[i] = try(ctx, r) })
	}
	running.Wait()
	return results
}

func try(ctx context.Context, r Recipient) Result {
	options := Options{}.filled()
	ctx, cancel := context.WithTimeout(ctx, options.Timeout)
	defer cancel()
	start := time.Now()
	event := Event{Kind: Trial, Episode: "test-" + start.UTC().Format(time.RFC3339Nano),
		Title: "test message", Lines: []string{"If you can read this, alerts arrive here."}}
	message := compose([]News{{Change: Opened, Event: event.bounded(start)}}, start)
	sender, err := r.sender()
	if err == nil {
		err = sender.Send(ctx, message)
	}
	scrub := newScrubber(string(r.URL), string(r.Key))
	return Result{Name: r.Name, To: Redact(string(r.URL)), Err: scrub.error(err), Took: time.Since(start)}
}
