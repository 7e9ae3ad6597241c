package git

import (
	"context"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing/filemode"

	"mirror/site"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
	"mirror/targets/grace"
)

// Grace lists the files of earlier releases in the head of the branch, as the last commit of ours says.
func (t *Target) Grace(ctx context.Context) (l grace.List, err error) {
	defer t.redact(&err)
	s, head, err := t.openHead(ctx, wire.UploadPack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	said, err := t.ours(ctx, head)
	return said.Grace, err
}

// leaveInGrace adds the files of earlier releases that stay, as they are in the live tree. l has all
// else. A branch whose head is not ours has none.
func (t *Target) leaveInGrace(live *objects.Snapshot, l *layout) {
	if l.said.Grace = nil; !t.stays.On() && len(live.Grace) == 0 {
		return
	}
	next := live.Grace
	if live.Release != l.said.Release {
		from := map[string]objects.Entry{}
		if live.Release != site.None {
			for path, e := range live.Files {
				if !live.Beside(path) && e.Mode == filemode.Regular {
					from[path] = e
				}
			}
		}
		next = t.stays.Next(live.Grace, namesOf(from), namesOf(l.files), time.Now(), t.keep.Match).Sorted(objects.MaxGrace)
	}
	for _, e := range next {
		file, there := live.Files[e.Path]
		if _, taken := l.files[e.Path]; taken || !there {
			continue
		}
		e.Digest = site.Digest{}
		l.said.Grace = append(l.said.Grace, e)
		l.files[e.Path] = file
	}
}

// namesOf lists files as a manifest whose digests are git's names.
func namesOf(files map[string]objects.Entry) site.Manifest {
	m := make(site.Manifest, 0, len(files))
	for path, e := range files {
		f := site.File{Path: path}
		copy(f.Digest[:], e.Blob[:])
		m = append(m, f)
	}
	m.Sort()
	return m
}

// stays lists all files beside the release's, in path order.
func (l *layout) stays() []string {
	return slices.Sorted(slices.Values(slices.Concat(l.said.Kept, l.kept, l.said.Grace.Paths())))
}
