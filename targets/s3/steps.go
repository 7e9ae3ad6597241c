package s3

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mirror/internal/wait"
	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// steps is what a commit or its rollback does, in order.
type steps struct {
	assets, pages []documents.Copy
	beacon        *documents.Beacon // put after the pages; nil for none, or if it is among last
	headers       bucket.Headers    // of the beacon
	last          []documents.Copy
	deletes       []string
	grace         time.Duration // before the deletions
	acl           func(path string) bucket.ACL
	demanded      bool   // the ACL is the config's
	class         string // the storage class
}

func (t *Target) doSteps(ch *documents.Change) steps {
	s := steps{deletes: ch.Deletes, grace: t.grace, acl: ch.ACL, demanded: t.acl != "", class: t.class}
	copies := slices.Clone(ch.Copies)
	if i := slices.IndexFunc(copies, func(c documents.Copy) bool { return c.Path == homePage }); i >= 0 {
		s.last = append(s.last, copies[i])
		copies = slices.Delete(copies, i, i+1)
	}
	s.assets, s.pages = split(copies)
	if ch.Beacon != nil {
		s.beacon, s.headers = ch.Beacon, t.beaconHeaders(ch.Beacon.Path)
	}
	return s
}

func (t *Target) undoSteps(ch *documents.Change) steps {
	s := steps{deletes: slices.Concat(ch.Added, ch.Fill), acl: ch.ACL, demanded: t.acl != "", class: t.class}
	restores := slices.Clone(ch.Restores)
	if ch.Beacon != nil {
		isBeacon := func(c documents.Copy) bool { return c.Path == ch.Beacon.Path }
		if i := slices.IndexFunc(restores, isBeacon); i >= 0 {
			s.last = append(s.last, restores[i])
			restores = slices.Delete(restores, i, i+1)
		}
	}
	s.assets, s.pages = split(restores)
	return s
}

func split(all []documents.Copy) (assets, pages []documents.Copy) {
	for _, c := range all {
		if site.IsPage(c.Path) {
			pages = append(pages, c)
		} else {
			assets = append(assets, c)
		}
	}
	return assets, pages
}

// run is one going through steps.
type run struct {
	bucket *bucket.Bucket
	steps
	gone map[string]bool // deleted already, for being in the way

	mu   sync.Mutex
	made map[string]bucket.Receipt
}

// execute takes the steps: what pages need before pages, the beacon when all is there,
// and deletions only if all else succeeded and after the grace period.
func (r *run) execute(ctx context.Context) error {
	for _, list := range [][]documents.Copy{r.assets, r.pages, r.last} {
		if err := r.copyAll(ctx, list); err != nil {
			return err
		}
	}
	if r.beacon != nil {
		made, err := r.bucket.PutAs(ctx, r.beacon.Path, r.beacon.Body, r.attributes(r.beacon.Path, &r.headers))
		if err != nil {
			return err
		}
		r.made[r.beacon.Path] = made
	}
	rest := slices.DeleteFunc(slices.Clone(r.deletes), func(path string) bool { return r.gone[path] })
	if len(rest) == 0 {
		return nil
	}
	if err := wait.Sleep(ctx, r.grace); err != nil {
		return err
	}
	return r.bucket.Remove(ctx, rest)
}

// copyAll makes copies, several at once. Those that a service refuses because a file
// stands where a folder is to be, or the other way round, are made when what stands in
// the way, and is to be deleted anyhow, is gone.
func (r *run) copyAll(ctx context.Context, list []documents.Copy) error {
	blocked := make(chan documents.Copy, len(list))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.bucket.Limit)
	for _, c := range list {
		g.Go(func() error {
			err := r.copyOne(gctx, c)
			if isBlocked(err) && len(inTheWay(c.Path, r.deletes)) > 0 {
				blocked <- c
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	close(blocked)
	for c := range blocked {
		if err := r.clear(ctx, c.Path); err != nil {
			return err
		}
		if err := r.copyOne(ctx, c); err != nil {
			return fmt.Errorf("after removing what was in its way: %w", err)
		}
	}
	return nil
}

func (r *run) copyOne(ctx context.Context, c documents.Copy) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var made bucket.Receipt
	var err error
	if c.Text != nil {
		made, err = r.bucket.PutAs(ctx, c.Path, []byte(*c.Text), r.attributes(c.Path, c.Headers))
	} else {
		made, err = r.bucket.CopyAs(ctx, c.Source, c.Path, r.attributes(c.Path, c.Headers), "")
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made[c.Path] = made
	return nil
}

// confirmed reports whether the service has said of every object that it stored it.
func (r *run) confirmed() bool {
	for _, made := range r.made {
		if made.ETag == "" {
			return false
		}
	}
	return true
}

func (r *run) attributes(path string, h *bucket.Headers) bucket.Attributes {
	return bucket.Attributes{Headers: h, ACL: r.acl(path), Demanded: r.demanded, Class: r.class}
}

// clear deletes what is in the way of a path.
func (r *run) clear(ctx context.Context, path string) error {
	way := slices.DeleteFunc(inTheWay(path, r.deletes), func(path string) bool { return r.gone[path] })
	if err := r.bucket.Remove(ctx, way); err != nil {
		return err
	}
	for _, path := range way {
		r.gone[path] = true
	}
	return nil
}

// isBlocked reports whether a service that keeps keys as files refuses one for its place.
func isBlocked(err error) bool {
	switch bucket.Status(err) {
	case http.StatusConflict, http.StatusBadRequest:
		return true
	}
	return false
}

// inTheWay lists the paths to be deleted that are a folder of the path, or below it.
func inTheWay(path string, deletes []string) []string {
	var way []string
	for _, d := range deletes {
		if strings.HasPrefix(path, d+"/") || strings.HasPrefix(d, path+"/") {
			way = append(way, d)
		}
	}
	return way
}
