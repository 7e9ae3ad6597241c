package documents

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/verified"
)

func randomEntry(r *rand.Rand, path string) Entry {
	return Entry{Path: path, Size: int64(r.IntN(1e6)), Content: verified.Content{
		Digest:  sha256.Sum256(fmt.Append(nil, r.Uint64())),
		Headers: bucket.Headers{Type: []string{"text/html; charset=utf-8", "text/css"}[r.IntN(2)]},
	}}
}

// TestSnapshotsShareParts changes 1 % of a release again and again: what is stored gives
// the release back exactly, no round stores much, and the parts stay few.
func TestSnapshotsShareParts(t *testing.T) {
	const count, rounds, most, mostParts = 5000, 120, 30 << 10, 80
	r := rand.New(rand.NewPCG(1, 2))
	want := Entries{}
	for i := range count {
		path := fmt.Sprintf("posts/%03d/title-%05d/index.html", i%100, i)
		want[path] = randomEntry(r, path)
	}
	stored := map[string]*part{}
	base := &Snapshot{}
	for round := range rounds {
		var baseParts []*part
		for _, ref := range base.Parts {
			baseParts = append(baseParts, stored[ref.Path])
		}
		refs, rest := deriveParts(base, baseParts, want)
		next := &Snapshot{Parts: refs}
		p := newPart(rest)
		data, err := EncodeDocument(p)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint("part ", round)
		stored[name] = p
		next.Parts = append(next.Parts, partRef{Path: name})
		doc, err := EncodeDocument(next)
		if err != nil {
			t.Fatal(err)
		}
		if sent := len(data) + len(doc); round > 0 && sent > most {
			t.Errorf("round %d stores %d bytes, more than %d", round, sent, most)
		}
		if got := gather(next, stored); !maps.Equal(got, want) {
			t.Fatalf("round %d: got %d entries, want %d", round, len(got), len(want))
		}
		if base = next; len(next.Parts) > mostParts {
			t.Fatalf("round %d: %d parts", round, len(next.Parts))
		}
		for _, path := range slices.Sorted(maps.Keys(want)) {
			if r.IntN(100) == 0 {
				want[path] = randomEntry(r, path)
			}
		}
	}
}

func gather(s *Snapshot, stored map[string]*part) Entries {
	out := Entries{}
	for _, ref := range s.Parts {
		for j := range stored[ref.Path].Files {
			if e := stored[ref.Path].entry(j); ref.has(j) {
				out[e.Path] = e
			}
		}
	}
	return out
}

// TestRecordsMerge: no fact that is of use gets lost, none is stored twice, and a record
// is rewritten only while it is small.
func TestRecordsMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		next := verified.Fact(0)
		var old []verified.Record
		want := map[verified.Fact]bool{}
		for i, n := range rapid.SliceOfN(rapid.IntRange(0, 3000), 0, 8).Draw(t, "sizes") {
			rec := verified.Record{Path: fmt.Sprint(i)}
			for range n {
				next++
				rec.Alive, want[next] = append(rec.Alive, next), true
			}
			old = append(old, rec)
		}
		var fresh []verified.Fact
		for range rapid.IntRange(0, 100).Draw(t, "fresh") {
			next++
			fresh, want[next] = append(fresh, next), true
		}
		byPath := map[string][]verified.Fact{}
		for _, rec := range old {
			byPath[rec.Path] = rec.Alive
		}
		keep, store := verified.MergeRecords(old, fresh)
		got := slices.Clone(store)
		for _, path := range keep {
			got = append(got, byPath[path]...)
		}
		slices.Sort(got)
		if !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Fatalf("got %d facts, want %d", len(got), len(want))
		}
		if len(store) > max(verified.MaxRecord, len(fresh)) {
			t.Fatalf("stores %d facts anew", len(store))
		}
	})
}

// TestDocumentsAreHostile reads documents that anybody may have written.
func TestDocumentsAreHostile(t *testing.T) {
	bad, err := EncodeDocument(part{Headers: []bucket.Headers{{}}, Files: []partEntry{{path: "a", headers: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"headers out of range": bad, "not compressed": []byte("{}"), "empty": nil} {
		if err := decodePart(data, &part{}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if err := verified.DecodeFacts(make([]byte, 9), &[]verified.Fact{}); err == nil {
		t.Error("nine bytes were taken for facts")
	}
	if s, err := DecodeState([]byte(`{"version":9,"revision":"x"}`)); err == nil {
		t.Errorf("a state of another version was read: %+v", s)
	}
}
