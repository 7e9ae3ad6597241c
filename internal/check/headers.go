package check

import (
	"net/http"
	"strings"
	"sync"

	"mirror/diff"
)

// Headers says which response headers the origins must agree on, beside the content type.
type Headers struct {
	Names []string
	// Promised is what the config has an origin send for a path, "" where it says nothing. nil
	// for nothing promised anywhere.
	Promised func(origin, path, name string) string
}

// headerBook keeps what each origin sends with each page, by header, origin and page.
type headerBook struct {
	names []string
	mu    sync.Mutex
	texts map[string]*string // each value once
	sent  [][][]*string      // by header, origin and expectation; nil where no page agreed
}

func newHeaderBook(names []string, origins, pages int) *headerBook {
	b := &headerBook{texts: map[string]*string{}}
	for _, name := range names {
		if strings.EqualFold(name, "Content-Type") {
			continue // that one is judged by what browsers make of it
		}
		b.names = append(b.names, http.CanonicalHeaderKey(name))
		rows := make([][]*string, origins)
		for i := range rows {
			rows[i] = make([]*string, pages)
		}
		b.sent = append(b.sent, rows)
	}
	return b
}

// note keeps what one origin sent with one page.
func (b *headerBook) note(origin, page int, h http.Header) {
	if len(b.names) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, name := range b.names {
		value := strings.Join(h.Values(name), ", ")
		text, ok := b.texts[value]
		if !ok {
			text = &value
			b.texts[value] = text
		}
		b.sent[i][origin][page] = text
	}
}

// judgeHeaders compares the headers of pages that are right in all else.
func (r *round) judgeHeaders() {
	names := make([]string, len(r.visits))
	for i, v := range r.visits {
		names[i] = v.at.Name
	}
	for h, header := range r.headers.names {
		found := make([][]diff.Difference, len(r.visits))
		sent, promised := make([]*string, len(r.visits)), make([]string, len(r.visits))
		for page, want := range r.wants {
			for i, v := range r.visits {
				sent[i] = r.headers.sent[h][i][page]
				if r.options.Headers.Promised != nil {
					promised[i] = r.options.Headers.Promised(v.at.Name, want.File.Path, header)
				}
			}
			for i, detail := range diff.JudgeHeader(header, names, sent, promised) {
				if detail != "" {
					found[i] = append(found[i], r.visits[i].headerDrift(page, detail))
				}
			}
		}
		for i, v := range r.visits {
			v.verdict.AddHeaders(found[i])
		}
	}
}

func (v *visit) headerDrift(page int, detail string) diff.Difference {
	f := v.wants[page].File
	return diff.Difference{
		Origin: v.at.Name, Path: f.Path, URL: v.at.URL.String() + v.page(page).URL, Kind: diff.Headers,
		Want: f.Digest, Got: f.Digest, Status: http.StatusOK, Detail: detail,
	}
}
