package oci

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"mirror/site"
	"mirror/targets/grace"
)

// maxGrace bounds the files of earlier releases in an image: the list of them is a label.
const maxGrace = 2000

// Grace lists the files of earlier releases in the live image.
func (t *Target) Grace(ctx context.Context) (grace.List, error) {
	h, err := t.look(ctx, t.tag)
	return h.grace(), err
}

// grace lists the files of earlier releases in an image of ours.
func (h *head) grace() grace.List {
	if h == nil {
		return nil
	}
	return graceFrom(h.labels[labelGrace])
}

// graceLabel packs a list, "" for an empty one.
func graceLabel(l grace.List) string {
	if len(l) == 0 {
		return ""
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(l.Encode()) // memory takes every write
	_ = w.Close()              // the same
	return base64.StdEncoding.EncodeToString(packed.Bytes())
}

// graceFrom unpacks a list, an empty one where the text is none.
func graceFrom(label string) grace.List {
	if label == "" {
		return nil
	}
	r, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(label)))
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(r, grace.MaxBytes+1))
	if err != nil {
		return nil
	}
	l, err := grace.Decode(text)
	if err != nil {
		return nil
	}
	return l.Sorted(maxGrace)
}

// nextGrace lists the files of earlier releases that stay in an image of a release that takes the place of the live
// one. held is what that has.
func (t *Target) nextGrace(rel *site.Release, live *head, held site.Manifest) grace.List {
	now := live.grace()
	if !t.stays.On() && len(now) == 0 {
		return nil
	}
	next := now
	if live.release() != rel.ID() {
		var from site.Manifest
		if live.release() != site.None {
			from = slices.DeleteFunc(slices.Clone(held), func(f site.File) bool { return now.Has(f.Path) || t.keeps.Match(f.Path) })
		}
		next = t.stays.Next(now, from, rel.Manifest, time.Now(), t.keeps.Match).Sorted(maxGrace)
	}
	next = next.Without(func(path string) bool { _, there := held.Find(path); return !there })
	for i := range next {
		next[i].Digest = site.Digest{} // the image tells it
	}
	return next
}

// sameGrace reports whether two lists have the same files for as many releases.
func sameGrace(a, b grace.List) bool {
	return slices.EqualFunc(a, b, func(a, b grace.Entry) bool { return a.Path == b.Path && a.Releases == b.Releases })
}
