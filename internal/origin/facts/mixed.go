package facts

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"mirror/internal/mixedcontent"
)

// Mixed is what https pages of an origin load over http, as far as pages were read.
type Mixed struct {
	Count    int // of resources
	Active   int // of them, those that browsers block
	Pages    int // that load them
	Examples []MixedResource
}

// MixedResource is one resource that a page loads over http.
type MixedResource struct {
	Page string // its manifest path
	mixedcontent.Resource
}

// What is kept of an origin's mixed content. A page beyond maxMixedPages counts, and counts again
// where it is read again.
const (
	maxMixedPages    = 1000
	maxMixedExamples = 5
)

// MixedBook is what each page loads over http as it was read last.
type MixedBook struct {
	idle  atomic.Pointer[mixedcontent.Scanner] // one that can be used again
	known atomic.Int64                         // length of pages, so that a page with nothing costs no lock

	mu    sync.Mutex // guards what follows
	pages map[string]mixedcontent.Found
	more  Mixed // of the pages beyond
}

// Scanner returns what finds the mixed content of an answer, nil where it can have none.
func (b *MixedBook) Scanner(resp *http.Response) *mixedcontent.Scanner {
	kind := pageType(resp.Header)
	if resp.TLS == nil || resp.StatusCode != http.StatusOK || kind == "" ||
		slices.ContainsFunc(resp.Header.Values("Content-Security-Policy"), mixedcontent.Upgrades) {
		return nil
	}
	s := b.idle.Swap(nil)
	if s == nil {
		s = &mixedcontent.Scanner{}
	}
	s.Reset(kind == "text/css")
	return s
}

// Note keeps what the page at path was found to load.
func (b *MixedBook) Note(path string, s *mixedcontent.Scanner) {
	found := s.Found()
	b.idle.Store(s)
	if found.Count == 0 && b.known.Load() == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, again := b.pages[path]
	switch {
	case found.Count == 0:
		delete(b.pages, path)
	case again || len(b.pages) < maxMixedPages:
		if b.pages == nil {
			b.pages = map[string]mixedcontent.Found{}
		}
		b.pages[path] = found
	default:
		b.more.Count, b.more.Active, b.more.Pages = b.more.Count+found.Count, b.more.Active+found.Active, b.more.Pages+1
	}
	b.known.Store(int64(len(b.pages)))
}

// total adds up the pages. The examples are of the first pages by path, active content before other.
func (b *MixedBook) total() Mixed {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.more
	m.Pages += len(b.pages)
	for path, found := range b.pages {
		m.Count, m.Active = m.Count+found.Count, m.Active+found.Active
		for _, r := range found.Examples {
			m.Examples = append(m.Examples, MixedResource{path, r})
		}
	}
	slices.SortStableFunc(m.Examples, func(a, b MixedResource) int {
		if a.Active != b.Active {
			if a.Active {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Page, b.Page)
	})
	m.Examples = m.Examples[:min(len(m.Examples), maxMixedExamples)]
	return m
}
