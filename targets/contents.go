package targets

import "context"

// ContentReader is a Target that returns the content of a few live files without reading the rest of
// the site.
type ContentReader interface {
	// ReadContents returns the bytes that the target stores at the paths, as far as they are live regular
	// files of at most limit bytes: other paths are left out. The caller bounds the number of
	// paths. It is an error only where nothing could be read.
	ReadContents(ctx context.Context, paths []string, limit int64) (map[string][]byte, error)
}
