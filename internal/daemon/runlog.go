package daemon

import (
	"bytes"
	"sync"
)

// maxLog bounds how much of what a run printed is kept, in bytes.
const maxLog = 64 << 10

// cutMark stands where a log was cut.
const cutMark = "[…]\n"

// runLog keeps the end of what a run prints. It is safe for concurrent use: a build may
// still print when its time is over.
type runLog struct {
	mu   sync.Mutex
	text []byte
	cut  bool
}

// Write never fails.
func (l *runLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if len(l.text) > 2*maxLog {
		l.text, l.cut = append([]byte(nil), l.text[len(l.text)-maxLog:]...), true
	}
	return len(p), nil
}

// String returns what is kept: whole lines, and a mark where earlier ones are missing.
func (l *runLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text, cut := l.text, l.cut
	if len(text) > maxLog {
		text, cut = text[len(text)-maxLog:], true
	}
	if !cut {
		return string(text)
	}
	if i := bytes.IndexByte(text, '\n'); i >= 0 && i < len(text)-1 {
		text = text[i+1:]
	}
	return cutMark + string(text)
}
