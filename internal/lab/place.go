package lab

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Place is somewhere else in the world, on loopback: its visitors reach each origin through a cache of
// their own.
type Place struct {
	Name string
	// Addresses says, by the host of an origin's URL, where visitors of this place connect to.
	Addresses map[string]string

	mu    sync.Mutex // guards what follows
	stuck bool
	kept  map[string]*kept // by origin and URL
}

// kept is an answer in a place's cache.
type kept struct {
	header http.Header
	body   []byte
}

// maxKept bounds an answer that a place's cache keeps, in bytes.
const maxKept = 1 << 20

// Place adds a place, which is there until the lab closes.
func (l *Lab) Place(name string) (*Place, error) {
	p := &Place{Name: name, Addresses: map[string]string{}, kept: map[string]*kept{}}
	for _, o := range l.Origins() {
		base, err := l.listen(p.cache(o.Name, o))
		if err != nil {
			return nil, err
		}
		u, err := url.Parse(o.URL)
		if err != nil {
			return nil, err
		}
		p.Addresses[u.Host] = strings.TrimPrefix(base, "http://")
	}
	return p, nil
}

// Stick has the caches of the place keep what they have, whatever is published, or follow again.
func (p *Place) Stick(stuck bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stuck = stuck
}

// cache answers from what the place keeps of an origin while it is stuck, else from the origin.
func (p *Place) cache(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := name + " " + r.Header.Get("Accept-Encoding") + " " + r.URL.Path
		p.mu.Lock()
		old := p.kept[key]
		stuck := p.stuck && old != nil && r.Method == http.MethodGet && r.URL.RawQuery == ""
		p.mu.Unlock()
		if stuck {
			maps.Copy(w.Header(), old.header)
			_, _ = w.Write(old.body) // an error means that the visitor has gone
			return
		}
		k := &keeper{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(k, r)
		if r.Method == http.MethodGet && r.URL.RawQuery == "" && k.status == http.StatusOK && k.body.Len() <= maxKept {
			p.mu.Lock()
			defer p.mu.Unlock()
			if !p.stuck {
				p.kept[key] = &kept{w.Header().Clone(), k.body.Bytes()}
			}
		}
	})
}

// keeper passes an answer on and keeps it.
type keeper struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (k *keeper) WriteHeader(status int) {
	k.status = status
	k.ResponseWriter.WriteHeader(status)
}

// Write keeps what is written.
func (k *keeper) Write(b []byte) (int, error) {
	if k.body.Len() <= maxKept {
		k.body.Write(b)
	}
	return k.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }
