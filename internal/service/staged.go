package service

import (
	"context"
	"reflect"
	"sync"
	"time"

	"mirror/reports"
)

// stagedAge is how old the list of staged releases may be when it is shown before the targets are asked again.
const stagedAge = time.Minute

// stagedList is what the targets said last of the releases that are staged to go live later.
type stagedList struct {
	mu    sync.Mutex // guards what follows
	asked time.Time
	all   []reports.StagedRelease

	wanted chan struct{} // has one element when the targets are to be asked
}

// staged returns the list, and has the targets be asked again if it is old.
func (s *service) staged() []reports.StagedRelease {
	l := &s.waiting
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.asked) > stagedAge {
		select {
		case l.wanted <- struct{}{}:
		default: // it is under way
		}
	}
	return l.all
}

// followStaged asks the targets at the start and when the list is wanted.
func (s *service) followStaged(ctx context.Context) {
	for {
		s.askStaged(ctx)
		select {
		case <-ctx.Done():
			return
		case <-s.waiting.wanted:
		}
	}
}

func (s *service) askStaged(ctx context.Context) {
	s.mu.Lock()
	space := s.space
	s.mu.Unlock()
	if len(space.Config.Targets) == 0 {
		return
	}
	rows, err := space.StagedRows(ctx)
	if err != nil {
		s.log.Debug("not all targets say which releases are staged", "err", err)
	}
	l := &s.waiting
	l.mu.Lock()
	l.asked = time.Now()
	news := err == nil && !reflect.DeepEqual(rows, l.all) && len(rows)+len(l.all) > 0
	if err == nil {
		l.all = rows
	}
	l.mu.Unlock()
	if news {
		s.changed()
	}
}
