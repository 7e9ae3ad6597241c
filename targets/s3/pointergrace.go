package s3

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// Grace lists the files of earlier releases that are in the live folder.
func (p Pointed) Grace(ctx context.Context) (grace.List, error) {
	now, err := p.t.readPointer(ctx)
	if err != nil {
		return nil, wrapped("grace", err)
	}
	return p.graceAt(ctx, now), nil
}

// graceAt reads the list that a pointer names. Where it is gone or damaged the files on it count as extra.
func (p Pointed) graceAt(ctx context.Context, now pointer) grace.List {
	if now.pointerDoc == nil || now.Grace == "" {
		return nil
	}
	l, err := p.t.docs.ReadGrace(ctx, now.Grace)
	if err != nil {
		p.t.log.Warn("the list of files of earlier releases is not readable; they count as extra", "path", now.Grace, "err", err)
	}
	return l
}

// nextGrace is the list beside a release that takes the place of what is live. beside is the list now, and listed what
// the live folder, of which l is the list, has.
func (p Pointed) nextGrace(now pointer, beside grace.List, l folderList, listed map[string]bucket.Object, to site.Manifest) grace.List {
	if now.pointerDoc == nil || !p.t.stays.On() && len(beside) == 0 {
		return nil
	}
	next := beside
	if to.ID() != now.Release {
		next = p.t.stays.Next(beside, l.manifest(), to, time.Now(), p.t.keep.Match)
	}
	return next.Without(func(path string) bool {
		e, _ := next.Find(path)
		o, there := listed[path]
		return !there || o.Size != e.Size
	})
}

// bringGrace copies what stays served of earlier releases from the live folder into that of a release, and returns the
// list and where it is stored.
func (p Pointed) bringGrace(ctx context.Context, now pointer, to site.Manifest) (next grace.List, stored string, err error) {
	beside := p.graceAt(ctx, now)
	if now.pointerDoc == nil || !p.t.stays.On() && len(beside) == 0 {
		return nil, "", nil
	}
	l, err := p.readList(ctx, now.Release)
	if err != nil {
		return nil, "", err
	}
	listed, err := p.folder(ctx, now.Release)
	if err != nil {
		return nil, "", err
	}
	next = p.nextGrace(now, beside, l, listed, to)
	if id := to.ID(); id != now.Release {
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(p.t.bucket.Limit)
		for _, e := range next {
			g.Go(func() error {
				a := bucket.Attributes{ACL: bucket.ACL{Canned: p.canned()}, Demanded: p.canned() != "", Class: p.t.class}
				_, err := p.t.bucket.CopyAs(gctx, listed[e.Path].Path, folderOf(id)+e.Path, a, listed[e.Path].ETag)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, "", err
		}
	}
	stored, err = p.t.writeGrace(ctx, next)
	return next, stored, err
}

// graceFor returns where the list is stored that goes live with a release in place of what the pointer names: the one
// that was staged for it or, where that was staged beside another pointer, a new one.
func (p Pointed) graceFor(ctx context.Context, now pointer, l folderList) (string, error) {
	if now.pointerDoc == nil {
		return "", nil
	}
	if l.GraceFrom == now.Revision {
		if l.Grace == "" {
			return "", nil
		}
		if _, err := p.t.docs.ReadGrace(ctx, l.Grace); err == nil {
			return l.Grace, nil
		}
	}
	_, stored, err := p.bringGrace(ctx, now, l.manifest())
	return stored, err
}

// shortenGrace deletes the files of earlier releases whose time is over.
func (p Pointed) shortenGrace(ctx context.Context, now pointer) (pointer, error) {
	if !p.t.stays.On() {
		return now, nil
	}
	l := p.graceAt(ctx, now)
	stay := p.t.stays.Current(l, time.Now())
	if len(stay) == len(l) {
		return now, nil
	}
	if err := p.dropGrace(ctx, now, l, func(path string) bool { return !stay.Has(path) }); err != nil {
		return now, err
	}
	return p.t.readPointer(ctx)
}

// dropGrace takes files off the list of the live release, and then deletes them.
func (p Pointed) dropGrace(ctx context.Context, now pointer, l grace.List, gone func(path string) bool) error {
	own, err := p.readList(ctx, now.Release)
	if err != nil {
		return err
	}
	next := *now.pointerDoc
	if next.Grace, err = p.t.writeGrace(ctx, l.Without(gone)); err != nil {
		return err
	}
	if err := p.t.movePointer(ctx, now, &next); err != nil {
		return fmt.Errorf("files of earlier releases: %w", err)
	}
	var doomed []string
	m := own.manifest()
	for _, path := range l.Paths() {
		if _, ours := m.Find(path); !ours && gone(path) {
			doomed = append(doomed, folderOf(now.Release)+path)
		}
	}
	return p.t.bucket.Remove(ctx, doomed)
}

// oldGrace lists the stored lists of files of earlier releases that no pointer names, but for young ones.
func (p Pointed) oldGrace(now pointer, own map[string]bucket.Object, r targets.Retention) []string {
	var used []string
	if now.pointerDoc != nil {
		used = append(used, now.Grace)
		if before, err := parsePointer(now.Before); err == nil {
			used = append(used, before.Grace)
		}
	}
	var old []string
	for path, o := range own {
		if isGraceList(path) && !slices.Contains(used, path) && !r.MayBeStaging(o.Seen.Sub(o.Modified)) {
			old = append(old, path)
		}
	}
	slices.Sort(old)
	return old
}

func isGraceList(path string) bool { return strings.HasPrefix(path, documents.GraceFolder) }
