package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"mirror/internal/regular"
	"mirror/internal/wait"
)

// ReadContents reads single files of the live release.
func (t *Target) ReadContents(ctx context.Context, paths []string, limit int64) (map[string][]byte, error) {
	root, err := t.openServed()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dir: read files: %w", err)
	}
	defer root.Close()
	contents := map[string][]byte{}
	for _, path := range paths {
		if text, err := readUpTo(ctx, root, path, limit); err == nil && int64(len(text)) <= limit {
			contents[path] = text
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return contents, nil
}

// readUpTo reads a file to its end, or to the first byte beyond the limit.
func readUpTo(ctx context.Context, root *os.Root, path string, limit int64) ([]byte, error) {
	r, err := regular.OpenOwn(root, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(wait.Reader(ctx, r), limit+1))
}
