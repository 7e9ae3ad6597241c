package exec

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

// Erase has the program remove the files from all copies of releases.
func (t *Target) Erase(ctx context.Context, e targets.Erasure) (left []string, err error) {
	for _, path := range e.Paths {
		if strings.ContainsAny(path, "\n\r") {
			return nil, fmt.Errorf("purge: a program cannot be told of a path with a line break: %q", path)
		}
	}
	gone, err := t.erased(ctx, e)
	if err != nil {
		return nil, err
	}
	stays, err := t.Grace(ctx)
	if err != nil {
		return nil, err
	}
	record, err := t.readErased(ctx)
	if err != nil {
		return nil, err
	}
	stays = stays.Without(func(path string) bool {
		entry, _ := stays.Find(path)
		_, erased := gone[entry.Digest]
		return erased || slices.Contains(e.Paths, path)
	})
	var digests []string
	for digest := range gone {
		digests = append(digests, digest.String())
	}
	prepare := func(folder string) (r protocol.Request, err error) {
		r = protocol.Request{Op: "erase", Release: e.Live.ID()}
		if r.Erase, err = writeLines(folder, "erase", slices.Sorted(slices.Values(digests))); err != nil {
			return r, err
		}
		if r.Grace, err = write(folder, "grace", stays.Encode()); err != nil {
			return r, err
		}
		if r.Remove, err = writeLines(folder, "remove", e.Paths); err != nil {
			return r, err
		}
		r.Erased, err = write(folder, "erased", record.With(gone, time.Now()).Encode())
		return r, err
	}
	if err := t.ask(ctx, protocol.Request{}, steps{prepare: prepare}); err != nil {
		return nil, err
	}
	return []string{"what the program keeps elsewhere, and backups of it"}, nil
}

// erased is the content to remove, by the lists of all releases that the program holds.
func (t *Target) erased(ctx context.Context, e targets.Erasure) (map[site.Digest]string, error) {
	lists := map[site.ID]bool{}
	gone := map[site.Digest]string{}
	_, err := t.copies(ctx, func(c protocol.Copy) error {
		if lists[c.Release] {
			return nil
		}
		lists[c.Release] = true
		m, err := protocol.ReadManifest(c.Manifest, c.Release)
		maps.Copy(gone, e.Digests([]site.Manifest{m}))
		return err
	})
	return gone, err
}
