package git

import (
	"context"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Limits of GitHub Pages, see "GitHub Pages limits" of GitHub's documentation. The host refuses files above
// githubLimit; of these it says later, or not at all, that a site is not deployed.
const (
	pagesBytes  = 1_000_000_000
	pagesBuilds = 10
	buildPeriod = time.Hour
)

// limits tells which limits of GitHub Pages a release of so many bytes would meet. The branch is
// looked at only where it was committed to within the last hour.
func (t *Target) limits(ctx context.Context, s *wire.Session, size int64, head objects.Commit) []string {
	if !t.onGitHub() {
		return nil
	}
	builds := 0
	if !head.Hash.IsZero() && time.Since(head.When) < buildPeriod {
		builds = t.recent(ctx, s, head)
	}
	return pagesLimits(size, builds)
}

func pagesLimits(size int64, builds int) (warnings []string) {
	if size > pagesBytes {
		warnings = append(warnings, fmt.Sprintf("the site has %.2f GB, and GitHub Pages publishes at most 1 GB", float64(size)/1e9))
	}
	if builds >= pagesBuilds {
		warnings = append(warnings, fmt.Sprintf("the branch got %d commits or more within the last hour, and GitHub Pages builds a branch at most %d times an hour: this release may be live late",
			builds, pagesBuilds))
	}
	return warnings
}

// recent counts the commits of the last hour, pagesBuilds of them at most.
func (t *Target) recent(ctx context.Context, s *wire.Session, head objects.Commit) int {
	if !s.Caps.Supports(capability.Filter) {
		return 1 // the commits would come with all their content
	}
	store, err := t.fetchWithin(ctx, s, wire.Wish{Wants: []plumbing.Hash{head.Hash}, Depth: pagesBuilds, Filter: packp.FilterTreeDepth(0)})
	if err != nil {
		t.log.Debug("the latest commits of the branch cannot be read", "err", err)
		return 1
	}
	defer store.Close()
	count := 0
	for _, c := range line(store, []plumbing.Hash{head.Hash}, pagesBuilds) {
		if time.Since(c.When) < buildPeriod {
			count++
		}
	}
	return count
}
