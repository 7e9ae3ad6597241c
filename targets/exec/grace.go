package exec

import (
	"context"
	"strings"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
	"mirror/targets/grace"
)

// Grace lists the files of earlier releases that are served beside the live one.
func (t *Target) Grace(ctx context.Context) (l grace.List, err error) {
	err = t.ask(ctx, protocol.Request{Op: "live"}, steps{then: func(answer protocol.Line) error {
		_, err := t.liveIn(answer)
		if err == nil {
			l, err = graceIn(answer)
		}
		return err
	}})
	return l, err
}

// nextGrace is the list beside a release that takes the place of what is live.
func (t *Target) nextGrace(ctx context.Context, l look, m site.Manifest) (grace.List, error) {
	own := func(path string) bool { _, own := m.Find(path); return own }
	if l.live.Release == m.ID() {
		return l.grace.Without(own), nil
	}
	if !t.grace.On() || l.live.Release == site.None || !t.supports(ctx, canGrace) {
		return nil, nil
	}
	past, err := t.Past(ctx, 1, nil)
	if err != nil || len(past) == 0 || past[0].Release != l.live.Release {
		return nil, err
	}
	return t.grace.Next(l.grace, past[0].Manifest, m, time.Now(), func(string) bool { return false }), nil
}

// beside are the live files that are to stay beside a release.
type beside struct {
	from  targets.Live
	files grace.List
}

// besideStaged is what is to stay beside a release that is about to be staged. A live file that is gone or was altered
// does not stay.
func (t *Target) besideStaged(ctx context.Context, rel *site.Release) (beside, error) {
	if !t.grace.On() || !t.supports(ctx, canGrace) {
		return beside{}, nil
	}
	l, err := t.look(ctx, rel.ID())
	if err != nil {
		return beside{}, err
	}
	next, err := t.nextGrace(ctx, l, rel.Manifest)
	if err != nil {
		return beside{}, err
	}
	l.Files.Sort()
	entries := map[string]grace.Entry{}
	for _, e := range next {
		entries[e.Path] = e
	}
	return beside{l.live, next.Without(func(path string) bool {
		f, live := l.Files.Find(path)
		return !live || f.Digest != entries[path].Digest || strings.ContainsAny(path, "\n\r")
	})}, nil
}

// lay writes the list for the program, and the paths of the files.
func (b beside) lay(folder string, r *protocol.Request) error {
	if len(b.files) == 0 {
		return nil
	}
	r.From = stateOf(b.from)
	var err error
	if r.Grace, err = write(folder, "grace", b.files.Encode()); err == nil {
		r.Beside, err = writeLines(folder, "beside", b.files.Paths())
	}
	return err
}
