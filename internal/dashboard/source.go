package dashboard

import (
	"context"
	"time"

	"mirror/internal/history"
)

// Source is what the dashboard reads of the history. Lists begin with the newest.
type Source interface {
	// LastCheck returns the latest check that came to a verdict; its ID is 0 where there is none.
	LastCheck(ctx context.Context) (history.Check, error)
	// Checks lists checks that came before the one with the ID before, or all for 0.
	Checks(ctx context.Context, before int64, limit int) ([]history.Check, error)
	// OpenEpisodes lists the episodes that last.
	OpenEpisodes(ctx context.Context) ([]history.Episode, error)
	// Episodes lists episodes, of one origin or of all for "", with IDs below before, or all
	// for 0.
	Episodes(ctx context.Context, origin string, before int64, limit int) ([]history.Episode, error)
	// Episode returns one; its ID is 0 where there is none.
	Episode(ctx context.Context, id int64) (history.Episode, error)
	// Publishes lists publishes with IDs below before, or all for 0.
	Publishes(ctx context.Context, before int64, limit int) ([]history.Publish, error)
	// Publish returns one; its ID is 0 where there is none.
	Publish(ctx context.Context, id int64) (history.Publish, error)
	// Runs lists runs of one job, or of all for "", that began before an instant, or all for
	// zero.
	Runs(ctx context.Context, job string, before time.Time, limit int) ([]history.Run, error)
	// Days tells how often each origin agreed on each day of a period, in UTC.
	Days(ctx context.Context, from, to time.Time) ([]Day, error)
}

// Day is how one origin did on one day.
type Day struct {
	Day     time.Time // midnight, UTC
	Origin  string
	Checks  int
	Agree   int // checks in which it agreed
	Drift   int // checks in which it drifted
	Unseen  int // checks in which it could not be seen
	Elapsed time.Duration
}
