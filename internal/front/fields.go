package front

import (
	"net/http"
	"sync"
)

// fields are the header fields of a page but its ETag. Pages with equal fields share them: with 100,000 pages those of
// each page would take more memory than all the rest.
type fields struct {
	contentType  []string
	cacheControl []string // nil for none, as those below
	encoding     []string
	vary         []string
}

// set sets the fields.
func (s *fields) set(h http.Header) {
	h["Content-Type"] = s.contentType
	if s.cacheControl != nil {
		h["Cache-Control"] = s.cacheControl
	}
	if s.encoding != nil {
		h["Content-Encoding"] = s.encoding
	}
	if s.vary != nil {
		h["Vary"] = s.vary
	}
}

// fieldsKey is what fields are made of.
type fieldsKey struct{ contentType, cacheControl, encoding, vary string }

// fieldsets are the fields that pages share. It is safe for concurrent use.
type fieldsets struct{ all sync.Map } // fieldsKey → *fields

// of returns the fields with some values, "" for none.
func (s *fieldsets) of(k fieldsKey) *fields {
	if known, ok := s.all.Load(k); ok {
		return known.(*fields)
	}
	value := func(text string) []string {
		if text == "" {
			return nil
		}
		return []string{text}
	}
	known, _ := s.all.LoadOrStore(k, &fields{value(k.contentType), value(k.cacheControl), value(k.encoding), value(k.vary)})
	return known.(*fields)
}
