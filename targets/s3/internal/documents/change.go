package documents

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
)

// Change is the document of one swap: what its commit does, and how it is undone.
type Change struct {
	Version int      `json:"version"`
	From    LiveRef  `json:"from"`
	To      site.ID  `json:"to"`
	Copies  []Copy   `json:"copies,omitempty"`
	Deletes []string `json:"deletes,omitempty"`
	Grace   string   `json:"grace,omitempty"` // the list of files of earlier releases that are served then, "" for none
	Ended   []string `json:"ended,omitempty"` // those of Deletes that were on the list before
	Beacon  *Beacon  `json:"beacon,omitempty"`

	// Origin is the last state that was whole: From or, where From is a commit that was
	// left half done, the state before that one. Undoing leads there.
	Origin   LiveRef  `json:"origin"`
	Before   []byte   `json:"before,omitempty"` // Origin's state document
	Restores []Copy   `json:"restores,omitempty"`
	Added    []string `json:"added,omitempty"` // to be deleted when undone

	// Fill lists the paths at which the content of the release lies already, or is to: where nothing is
	// live a Stage puts it in place. They are deleted when the change is undone.
	Fill []string `json:"fill,omitempty"`

	// ACLs of single paths, where objects have their own: what they were given before, which they
	// keep, and what undoing brings back. A path that is not listed gets the other ones.
	ACLs   map[string]bucket.ACL `json:"acls,omitempty"`
	NewACL bucket.ACL            `json:"new_acl,omitzero"` // of objects that were not there

	Path string `json:"-"` // of the document itself
}

// ACL is the access control list that a path of the site gets.
func (ch *Change) ACL(path string) bucket.ACL {
	if acl, ok := ch.ACLs[path]; ok {
		return acl
	}
	return ch.NewACL
}

// Copy replaces a key by a copy.
type Copy struct {
	Path    string          `json:"path"`
	Source  string          `json:"source"`
	Headers *bucket.Headers `json:"headers,omitempty"` // nil for the source's own
	// Text is the content itself, where it is small: it is written to the path, and Source is "".
	Text *string `json:"text,omitempty"`
}

// ReadChange reads a change by its path.
func (d *Store) ReadChange(ctx context.Context, path string) (*Change, error) {
	ch := &Change{Path: path}
	if err := d.readDocument(ctx, path, ch); err != nil {
		return nil, err
	}
	if ch.Version != Version {
		return nil, fmt.Errorf("read %q: written by another version of mirror", path)
	}
	if !ch.inBounds() {
		return nil, fmt.Errorf("read %q: not written by mirror: it reaches outside the site", path)
	}
	return ch, nil
}

// inBounds reports whether a change copies from our own folder to the site's paths, and
// deletes only there.
func (ch *Change) inBounds() bool {
	for _, c := range slices.Concat(ch.Copies, ch.Restores) {
		if !IsSite(c.Path) || c.Text == nil && !strings.HasPrefix(c.Source, OwnPrefix) {
			return false
		}
	}
	outside := func(path string) bool { return !IsSite(path) }
	return !slices.ContainsFunc(slices.Concat(ch.Deletes, ch.Added, ch.Fill), outside) && (ch.Beacon == nil || IsSite(ch.Beacon.Path))
}

// FindChange reads the newest change that a Stage wrote for a swap, nil if none did.
func (d *Store) FindChange(ctx context.Context, listed map[string]bucket.Object, s targets.Swap) (*Change, error) {
	var newest bucket.Object
	for _, path := range slices.Sorted(maps.Keys(listed)) {
		o := listed[path]
		if strings.HasPrefix(path, ChangeFolder(s)) && !o.Modified.Before(newest.Modified) {
			newest = o
		}
	}
	if newest.Path == "" {
		return nil, nil
	}
	ch, err := d.ReadChange(ctx, newest.Path)
	if bucket.IsMissing(err) {
		return nil, nil
	}
	if err == nil && (ch.From.Revision != s.From.Revision || ch.To != s.To) {
		return nil, errors.New("the change is not of this swap")
	}
	return ch, err
}

// Empty reports whether the change neither copies nor deletes anything.
func (ch *Change) Empty() bool { return len(ch.Copies)+len(ch.Deletes)+len(ch.Fill) == 0 }
