package dir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"mirror/internal/regular"
	"mirror/targets/internal/releasedir"
)

// ReadNotes reads the file of the notes. One that is not a regular file is none.
func (t *Target) ReadNotes(_ context.Context, limit int64) ([]byte, error) {
	p, err := t.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer p.Close()
	r, err := regular.OpenOwn(p.root, releasedir.Notes)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, regular.ErrNotRegular) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dir: notes: %w", err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = errors.New("they are longer than mirror ever writes")
	}
	if err != nil {
		return nil, fmt.Errorf("dir: notes: %w", err)
	}
	return text, nil
}

// WriteNotes replaces that file.
func (t *Target) WriteNotes(ctx context.Context, text []byte) error {
	return t.locked(ctx, func(p *place) error {
		made := releasedir.Notes + releasedir.Partial
		err := p.root.RemoveAll(made)
		if err == nil {
			err = modes{file: 0o600}.write(p.root, made, bytes.NewReader(text))
		}
		if err == nil {
			err = p.clearOdd(releasedir.Notes)
		}
		if err == nil {
			err = p.root.Rename(made, releasedir.Notes)
		}
		if err != nil {
			return fmt.Errorf("dir: notes: %w", err)
		}
		return nil
	})
}
