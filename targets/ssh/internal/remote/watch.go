package remote

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Silence is how long a server may make no progress while something is asked of it.
const Silence = time.Minute

// maxAnswer bounds what a server sends in answer to one request, in bytes: a folder of about 400,000 files.
const maxAnswer = 64 << 20

var errFlood = errors.New("the server sent more than an answer can have")

// watch calls giveUp when requests are under way and none of them makes progress for longer than limit.
type watch struct {
	limit  time.Duration
	giveUp func()

	mu      sync.Mutex // guards what follows
	active  int        // requests
	since   time.Time  // the last progress
	got     int64      // bytes since then
	timer   *time.Timer
	expired bool
}

// around does a request.
func (w *watch) around(do func() error) error {
	w.step(+1)
	defer w.step(-1)
	return do()
}

func (w *watch) step(change int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.active += change
	w.since, w.got = time.Now(), 0
	switch {
	case w.active == 0:
		w.timer.Stop()
	case w.timer == nil:
		w.timer = time.AfterFunc(w.limit, w.expire)
	case change > 0 && w.active == 1:
		w.timer.Reset(w.limit)
	}
}

// progress gives the requests under way more time.
func (w *watch) progress() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since, w.got = time.Now(), 0
}

func (w *watch) expire() {
	w.mu.Lock()
	left := w.limit - time.Since(w.since)
	late := w.active > 0 && left <= 0
	w.expired = w.expired || late
	if !late && w.active > 0 {
		w.timer.Reset(left)
	}
	w.mu.Unlock()
	if late {
		w.giveUp()
	}
}

// why says why the server was given up, nil if it was not.
func (w *watch) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.expired:
		return fmt.Errorf("the server made no progress for %s, and was given up", w.limit)
	case w.got > maxAnswer:
		return errFlood
	}
	return nil
}

func (w *watch) count(n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.got += int64(n); w.got > maxAnswer {
		return errFlood
	}
	return nil
}

// bounded is what a server sends, which ends where it is more than an answer.
type bounded struct {
	io.Reader
	watch *watch
}

// Read counts.
func (b bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if flood := b.watch.count(n); flood != nil {
		return n, flood
	}
	return n, err
}

// moving tells the watch of the bytes that go through a writer.
type moving struct {
	io.Writer
	watch *watch
}

// Write tells of the bytes when they were taken.
func (m moving) Write(p []byte) (int, error) {
	n, err := m.Writer.Write(p)
	m.watch.progress()
	return n, err
}
