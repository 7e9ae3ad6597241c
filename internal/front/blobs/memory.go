package blobs

import (
	"sync"

	"mirror/site"
)

// perBlob is what a content takes in memory beside its bytes, about.
const perBlob = 256

// memory holds small contents. Those that were not used since the last look make room for others (the
// CLOCK algorithm), so that a hit needs no lock.
type memory struct {
	bound int64

	mu    sync.Mutex // guards what follows
	known map[site.Digest]*Blob
	ring  []*Blob
	hand  int
	bytes int64
}

func newMemory(bound int64) memory { return memory{bound: bound, known: map[site.Digest]*Blob{}} }

func (m *memory) get(d site.Digest) *Blob {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[d]
}

func (m *memory) size() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

// add holds a content. One that is larger than the bound is dropped at once; the caller has its bytes.
func (m *memory) add(d site.Digest, data []byte) *Blob {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.known[d]; b != nil {
		return b
	}
	b := &Blob{digest: d, size: int64(len(data)) + perBlob}
	m.makeRoom(b.size)
	if m.bytes+b.size > m.bound {
		return b
	}
	b.data.Store(&data)
	m.known[d] = b
	m.ring = append(m.ring, b)
	m.bytes += b.size
	return b
}

// makeRoom drops contents until so many bytes have room. The caller must hold mu.
func (m *memory) makeRoom(bytes int64) {
	for spared := 0; m.bytes+bytes > m.bound && len(m.ring) > 0; {
		m.hand %= len(m.ring)
		b := m.ring[m.hand]
		if b.used.Swap(false) && spared <= 2*len(m.ring) {
			m.hand++
			spared++
			continue
		}
		last := len(m.ring) - 1
		m.ring[m.hand] = m.ring[last]
		m.ring[last], m.ring = nil, m.ring[:last]
		delete(m.known, b.digest)
		b.data.Store(nil)
		m.bytes -= b.size
	}
}

// Fixed returns a content that belongs to no store and stays in memory.
func Fixed(data []byte) *Blob {
	b := &Blob{size: int64(len(data))}
	b.data.Store(&data)
	return b
}
