package dashboard

import (
	"context"
	"time"

	"mirror/internal/history"
)

// Source is what the dashboard reads of the history. Lists begin with the newest.
type Source interface {
	LastCheck(ctx context.Context) (history.Check, bool, error)
	ChecksBefore(ctx context.Context, before int64, limit int) ([]history.Check, error)
	Episodes(ctx context.Context, f history.EpisodeFilter) ([]history.Episode, error)
	Episode(ctx context.Context, id int64) (history.Episode, bool, error)
	PublishesBefore(ctx context.Context, before int64, limit int) ([]history.Publish, error)
	Publish(ctx context.Context, id int64) (history.Publish, bool, error)
	Runs(ctx context.Context, f history.RunFilter) ([]history.Run, error)
	Days(ctx context.Context, since time.Time) ([]history.Day, error)
}

var _ Source = (*history.Store)(nil)
