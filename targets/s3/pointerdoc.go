package s3

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// Where what lies in the layout pointer.
const (
	pointerPath   = documents.OwnPrefix + "pointer"
	foldersFolder = documents.OwnPrefix + "releases/" // <id>/<path>
	listsFolder   = documents.OwnPrefix + "manifests/"
	maxPointer    = 1 << 20 // bytes
	maxPointed    = 50      // earlier releases that are remembered
)

// pointerDoc is the document that says which folder is the live site. It is replaced by a compare-and-swap.
type pointerDoc struct {
	Version  int               `json:"version"`
	Release  site.ID           `json:"release"`
	Folder   string            `json:"folder"` // of the live release, relative to the prefix, with a slash at its end
	Revision string            `json:"revision"`
	Grace    string            `json:"grace,omitempty"` // the list of files of earlier releases in the folder, "" for none
	Previous []site.ID         `json:"past,omitempty"`
	From     documents.LiveRef `json:"from"`
	Before   json.RawMessage   `json:"before,omitempty"` // the document that this one has replaced, without its own Before
}

// pointer is the document as it was read.
type pointer struct {
	*pointerDoc        // nil where there is none, or where it names no release
	etag        string // "" where there is no document
}

func (p pointer) live() targets.Live {
	if p.pointerDoc == nil {
		return targets.Live{}
	}
	return targets.Live{Release: p.Release, Revision: p.Revision}
}

// folderOf is where the files of a release lie.
func folderOf(id site.ID) string { return foldersFolder + string(id) + "/" }

func (t *Target) readPointer(ctx context.Context) (pointer, error) {
	o, err := t.bucket.Open(ctx, pointerPath)
	if bucket.IsMissing(err) {
		return pointer{}, nil
	}
	if err != nil {
		return pointer{}, err
	}
	defer o.Close()
	raw, err := io.ReadAll(io.LimitReader(o, maxPointer))
	if err != nil {
		return pointer{}, fmt.Errorf("read %q: %w", pointerPath, err)
	}
	doc, err := parsePointer(raw)
	if doc != nil && doc.Release == site.None {
		doc = nil
	}
	return pointer{doc, o.ETag}, err
}

func parsePointer(raw []byte) (*pointerDoc, error) {
	var doc pointerDoc
	err := json.Unmarshal(raw, &doc)
	if err == nil {
		if doc.Release == site.None && doc.Folder == "" && doc.Version == documents.Version {
			return &doc, nil // a rollback to nothing
		}
		if _, err = site.ParseID(string(doc.Release)); err == nil && (doc.Version != documents.Version || doc.Folder != folderOf(doc.Release) || doc.Revision == "") {
			err = errors.New("it names no folder of a release")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not a pointer that this version of mirror wrote: %w", pointerPath, err)
	}
	return &doc, nil
}

// movePointer replaces the pointer that was read, or gives ErrConflict. With nil, it names no release any more.
func (t *Target) movePointer(ctx context.Context, was pointer, next *pointerDoc) error {
	if next == nil {
		next = &pointerDoc{Version: documents.Version, Revision: documents.NewNonce()}
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return err
	}
	c := bucket.Condition{IfMatch: was.etag, IfNoneMatch: was.etag == ""}
	if honoured, err := t.docs.Conditional(ctx); err != nil {
		return err
	} else if !honoured {
		c = bucket.Condition{}
	}
	_, err = t.bucket.Put(ctx, pointerPath, raw, bucket.Headers{Type: documents.StateType, Cache: "no-store"}, c)
	if bucket.IsUnmet(err) {
		stored, readErr := t.bucket.ReadUpTo(ctx, pointerPath, maxPointer)
		if readErr == nil && bytes.Equal(stored, raw) {
			return nil // the answer to the first attempt was lost
		}
		return errors.Join(targets.ErrConflict, readErr)
	}
	return err
}

// after is the document that follows one.
func (p pointer) after(to site.ID, from targets.Live) (*pointerDoc, error) {
	next := &pointerDoc{Version: documents.Version, Release: to, Folder: folderOf(to), Revision: documents.NewNonce(), From: documents.LiveRef(from)}
	if p.pointerDoc == nil {
		return next, nil
	}
	for _, id := range append([]site.ID{p.Release}, p.Previous...) {
		if id != to && !slices.Contains(next.Previous, id) && len(next.Previous) < maxPointed {
			next.Previous = append(next.Previous, id)
		}
	}
	was := *p.pointerDoc
	was.Before = nil
	var err error
	next.Before, err = json.Marshal(was)
	return next, err
}

// idOf is the release in whose folder a key of ours lies.
func idOf(path string) (site.ID, bool) {
	name, _, ok := strings.Cut(strings.TrimPrefix(path, foldersFolder), "/")
	id, err := site.ParseID(name)
	return id, ok && err == nil && strings.HasPrefix(path, foldersFolder)
}
