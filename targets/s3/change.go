package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets"
)

// change is the document of one swap: what its commit does, and how it is undone.
type change struct {
	Version int       `json:"version"`
	From    liveRef   `json:"from"`
	To      site.ID   `json:"to"`
	Copies  []copying `json:"copies,omitempty"`
	Deletes []string  `json:"deletes,omitempty"`
	Beacon  *beacon   `json:"beacon,omitempty"`

	// Origin is the last state that was whole: From or, where From is a commit that was
	// left half done, the state before that one. Undoing leads there.
	Origin   liveRef   `json:"origin"`
	Before   []byte    `json:"before,omitempty"` // Origin's state document
	Restores []copying `json:"restores,omitempty"`
	Added    []string  `json:"added,omitempty"` // to be deleted when undone

	path string
}

// copying replaces a key by a copy.
type copying struct {
	Path    string   `json:"path"`
	Source  string   `json:"source"`
	Headers *headers `json:"headers,omitempty"` // nil for the source's own
}

// readChange reads a change by its path.
func (d *documents) readChange(ctx context.Context, path string) (*change, error) {
	ch := &change{path: path}
	if err := d.readDocument(ctx, path, ch); err != nil {
		return nil, err
	}
	if ch.Version != version {
		return nil, fmt.Errorf("read %q: written by another version of mirror", path)
	}
	if !ch.inBounds() {
		return nil, fmt.Errorf("read %q: not written by mirror: it reaches outside the site", path)
	}
	return ch, nil
}

// inBounds reports whether a change copies from our own folder to the site's paths, and
// deletes only there.
func (ch *change) inBounds() bool {
	for _, c := range slices.Concat(ch.Copies, ch.Restores) {
		if !isSite(c.Path) || !strings.HasPrefix(c.Source, own) {
			return false
		}
	}
	outside := func(path string) bool { return !isSite(path) }
	return !slices.ContainsFunc(slices.Concat(ch.Deletes, ch.Added), outside) && (ch.Beacon == nil || isSite(ch.Beacon.Path))
}

// findChange reads the newest change that a Stage wrote for a swap, nil if none did.
func (d *documents) findChange(ctx context.Context, inv inventory, s targets.Swap) (*change, error) {
	var newest object
	for _, path := range slices.Sorted(maps.Keys(inv.own)) {
		o := inv.own[path]
		if strings.HasPrefix(path, changeFolder(s)) && !o.Modified.Before(newest.Modified) {
			newest = o
		}
	}
	if newest.Path == "" {
		return nil, nil
	}
	ch, err := d.readChange(ctx, newest.Path)
	if isMissing(err) {
		return nil, nil
	}
	if err == nil && (ch.From.Revision != s.From.Revision || ch.To != s.To) {
		return nil, errors.New("the change is not of this swap")
	}
	return ch, err
}

func (ch *change) empty() bool { return len(ch.Copies)+len(ch.Deletes) == 0 }
