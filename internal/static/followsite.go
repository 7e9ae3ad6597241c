package static

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Source tells which version of a site is current, and fetches it.
type Source interface {
	// Current names the version, "" where there is none.
	Current(ctx context.Context) (string, error)
	// Fetch stores the files of a version in the spool, and returns where each lies.
	Fetch(ctx context.Context, version string, spool *Spool) (map[string]Section, error)
}

// SiteFollower serves a site whole, version after version. A version that cannot be fetched is logged, once, and
// leaves the earlier one in place.
type SiteFollower struct {
	Source Source
	Poll   time.Duration // how often the version is asked for; 0 for 2 s
	Site   Options
	Dir    string // for temporary files, "" for the system's
	Log    *slog.Logger
}

// FollowSite starts the follower, which ends with ctx, and returns the handler of what it serves.
func FollowSite(ctx context.Context, f SiteFollower) http.Handler {
	s := &Swapper{}
	go f.run(ctx, s)
	return s
}

func (f *SiteFollower) run(ctx context.Context, s *Swapper) {
	poll := f.Poll
	if poll <= 0 {
		poll = 2 * time.Second
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	serving, said := "", ""
	for {
		version, err := f.Source.Current(ctx)
		if err == nil && version != serving {
			if err = f.show(ctx, s, version); err == nil {
				serving = version
			}
		}
		switch {
		case err == nil:
			said = ""
		case ctx.Err() == nil && err.Error() != said:
			said = err.Error()
			f.Log.Error("cannot serve the current release, the earlier one stays", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// show fetches a version and serves it.
func (f *SiteFollower) show(ctx context.Context, s *Swapper, version string) error {
	if version == "" {
		s.Swap(nil, nil)
		return nil
	}
	spool, err := NewSpool(f.Dir)
	if err != nil {
		return err
	}
	files, err := f.Source.Fetch(ctx, version, spool)
	if err != nil {
		_ = spool.Close() // a temporary file: nothing is lost
		return err
	}
	s.Swap(New(NewTree(spool, files), f.Site), func() { _ = spool.Close() })
	f.Log.Info("serving a release", "release", version, "files", len(files))
	return nil
}

// Reserve keeps room for size bytes, which are written to the writer. More bytes are io.ErrShortWrite.
func (s *Spool) Reserve(size int64) (Section, io.Writer) {
	at := Section{s.end.Add(size) - size, size}
	return at, &sectionWriter{io.NewOffsetWriter(s.f, at.Off), size}
}

type sectionWriter struct {
	w    io.Writer
	left int64
}

// Write writes what there is room for.
func (s *sectionWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > s.left {
		return 0, io.ErrShortWrite
	}
	n, err := s.w.Write(p)
	s.left -= int64(n)
	return n, err
}
