package s3

import (
	"maps"
	"slices"
	"unicode/utf8"

	"mirror/site"
	"mirror/targets/s3/internal/documents"
)

// Bounds of the texts that a change holds itself, in bytes. They are sent twice, once packed and once to
// their path, so that what is sent for them the first time is half of the changed content, and textAllowance,
// at most: HTML packs to less. A record of what is stored, of up to 40 KB, may go the same time: 1.5 times the changed
// content and 64 KiB are enough for both.
const (
	maxText       = 256 << 10
	maxTexts      = 4 << 20
	textAllowance = 12 << 10
)

// texts picks the small texts that go live by being written from the change: that is one request for each
// where staging and copying are two.
func (t *Target) texts(rel *site.Release, inv inventory, c comparison) (map[string]string, error) {
	all, total, changed := map[string]string{}, 0, 0
	for _, path := range slices.Concat(c.Change, c.Add) {
		f, ok := rel.Manifest.Find(path)
		if !ok {
			continue
		}
		changed += int(f.Size)
		if inv.holds(f.Digest, f.Size) || f.Size > maxText || total+int(f.Size) > maxTexts || !rel.Readable() {
			continue
		}
		data, err := rel.ReadFile(f)
		if err != nil {
			return nil, err
		}
		if utf8.Valid(data) {
			all[path], total = string(data), total+len(data)
		}
	}
	return affordable(all, changed/2+textAllowance)
}

// affordable drops texts until they fit into the budget when they are packed.
func affordable(all map[string]string, budget int) (map[string]string, error) {
	for len(all) > 0 {
		packed, err := documents.EncodeDocument(all)
		if err != nil {
			return nil, err
		}
		if len(packed) <= budget {
			return all, nil
		}
		paths := slices.Sorted(maps.Keys(all))
		for _, path := range paths[len(paths)*budget/len(packed):] {
			delete(all, path)
		}
	}
	return all, nil
}
