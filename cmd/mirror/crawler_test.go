package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// crawler reads the pages of some origins in turn, with a bare loop for each origin, and
// notes what each showed when. It shares no code with what it measures.
type crawler struct {
	client http.Client

	mu    sync.Mutex
	views map[string][]view // by URL, in the order of the answers
	errs  []error           // of requests without an answer
}

// view is one answer: what a page showed at some time between asked and answered. The
// text is "" where there was no page, or no answer, as from a container that is replaced.
type view struct {
	asked, answered time.Time
	text            string
	failed          bool // there was no answer
}

// crawlEvery reads the paths below each base, one page after another with a pause from one to the next, until the
// returned function is called.
func crawlEvery(t testing.TB, pause time.Duration, bases, paths []string) (stop func() *crawler) {
	ctx, cancel := context.WithCancel(t.Context())
	c := &crawler{views: map[string][]view{}}
	c.client.Transport = &http.Transport{}
	c.client.Timeout = 2 * time.Minute
	var all sync.WaitGroup
	for _, base := range bases {
		all.Go(func() {
			ticker := time.NewTicker(pause)
			defer ticker.Stop()
			for last := false; !last; {
				last = ctx.Err() != nil // and one more round
				for _, path := range paths {
					c.read(base + path)
					<-ticker.C
				}
			}
		})
	}
	return func() *crawler {
		cancel()
		all.Wait()
		c.client.CloseIdleConnections()
		return c
	}
}

func (c *crawler) read(url string) {
	v := view{asked: time.Now()}
	var err error
	v.text, err = c.body(url)
	v.answered = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.errs = append(c.errs, err)
		v.text, v.failed = "", true
	}
	c.views[url] = append(c.views[url], v)
}

func (c *crawler) body(url string) (string, error) {
	resp, err := c.client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return "", err
	}
	return string(text), err
}

// stretch is a window as the crawler met it: it lasted at least so long, and at most.
type stretch struct{ least, most time.Duration }

// turn is how one page turned, by the answers around its edges.
type turn struct {
	oldAsked    time.Time // start of the last old answer before the first new one
	newAnswered time.Time // end of the first new one
	lastOld     time.Time // start of the last old answer
	settled     time.Time // end of the first new one after it, zero if there is none
}

func turnOf(views []view, mark string) turn {
	e := turn{oldAsked: views[0].asked}
	for _, v := range views {
		isNew := strings.Contains(v.text, mark)
		switch {
		case !isNew:
			e.lastOld, e.settled = v.asked, time.Time{}
			if e.newAnswered.IsZero() {
				e.oldAsked = v.asked
			}
		case e.settled.IsZero():
			e.settled = v.answered
		}
		if isNew && e.newAnswered.IsZero() {
			e.newAnswered = v.answered
		}
	}
	return e
}

// window is the time from the first page anywhere to show the mark of the new edition
// until the last page anywhere to turn to it.
func (c *crawler) window(mark string) (s stretch, err error) {
	var edge turn // of all pages together
	for url, views := range c.views {
		e := turnOf(views, mark)
		if e.settled.IsZero() {
			return s, fmt.Errorf("%s still shows %q", url, views[len(views)-1].text)
		}
		if edge.settled.IsZero() {
			edge = e
		}
		edge = turn{
			earlier(edge.oldAsked, e.oldAsked), earlier(edge.newAnswered, e.newAnswered),
			later(edge.lastOld, e.lastOld), later(edge.settled, e.settled),
		}
	}
	return stretch{max(0, edge.lastOld.Sub(edge.newAnswered)), edge.settled.Sub(edge.oldAsked)}, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
