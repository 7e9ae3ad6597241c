package check

import (
	"net/http"
	"strings"
	"sync"
)

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
