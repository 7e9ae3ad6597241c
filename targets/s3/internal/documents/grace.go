package documents

import (
	"context"
	"fmt"
	"strings"

	"mirror/targets/grace"
)

// WriteGrace stores a list of files of earlier releases under its digest, and returns its path.
func (d *Store) WriteGrace(ctx context.Context, l grace.List) (string, error) {
	w, err := compressor()
	if err != nil {
		return "", err
	}
	return d.WriteByDigest(ctx, GraceFolder, w.EncodeAll(l.Encode(), nil))
}

// ReadGrace reads a list that WriteGrace stored.
func (d *Store) ReadGrace(ctx context.Context, path string) (grace.List, error) {
	if !strings.HasPrefix(path, GraceFolder) {
		return nil, fmt.Errorf("%q is not a list of files of earlier releases", path)
	}
	l, err := byDigest(ctx, d, path, func(data []byte, l *grace.List) (err error) {
		text, err := unpack(data)
		if err == nil {
			*l, err = grace.Decode(text)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return *l, nil
}
