package s3

import (
	"errors"
	"io"
	"path"

	"mirror/site"
)

// headersFor returns what a file is to be served with.
func (t *Target) headersFor(rel *site.Release, f site.File) (headers, error) {
	var head []byte
	if path.Ext(f.Path) == "" {
		var err error
		if head, err = firstBytes(rel, f); err != nil {
			return headers{}, err
		}
	}
	return ruled(t.rules, f.Path, headers{Type: site.ContentType(f.Path, head)}), nil
}

const sniffed = 512

func firstBytes(rel *site.Release, f site.File) ([]byte, error) {
	r, err := rel.Open(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	head := make([]byte, min(sniffed, f.Size))
	n, err := io.ReadFull(r, head)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

// beaconHeaders are for the beacon, which no cache may keep unless a rule says so.
func (t *Target) beaconHeaders(name string) headers {
	return ruled(t.rules, name, headers{Type: "application/json", Cache: "no-cache"})
}
