package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"mirror/internal/regular"
	"mirror/targets/exec/internal/protocol"
)

// ReadNotes has the program write its notes to a file.
func (t *Target) ReadNotes(ctx context.Context, limit int64) (text []byte, err error) {
	if !t.supports(ctx, canNotes) {
		return nil, nil
	}
	var file string
	prepare := func(folder string) (protocol.Request, error) {
		file = filepath.Join(folder, "notes")
		return protocol.Request{Op: "read_notes", Notes: file}, nil
	}
	err = t.ask(ctx, protocol.Request{}, steps{prepare: prepare, then: func(protocol.Line) (err error) {
		text, err = regular.ReadFile(file, limit)
		if errors.Is(err, fs.ErrNotExist) {
			text, err = nil, nil
		}
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	return text, nil
}

// WriteNotes gives the program a file to keep.
func (t *Target) WriteNotes(ctx context.Context, text []byte) error {
	prepare := func(folder string) (r protocol.Request, err error) {
		r.Op = "write_notes"
		r.Notes, err = write(folder, "notes", text)
		return r, err
	}
	if err := t.ask(ctx, protocol.Request{}, steps{prepare: prepare}); err != nil {
		return fmt.Errorf("notes: %w", err)
	}
	return nil
}
