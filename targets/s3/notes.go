package s3

import (
	"context"
	"fmt"

	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// ReadNotes reads the object of the notes.
func (t *Target) ReadNotes(ctx context.Context, limit int64) ([]byte, error) {
	text, err := t.bucket.ReadUpTo(ctx, documents.NotesPath, limit)
	if bucket.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	return text, nil
}

// WriteNotes replaces the object of the notes.
func (t *Target) WriteNotes(ctx context.Context, text []byte) error {
	if _, err := t.bucket.Put(ctx, documents.NotesPath, text, bucket.Headers{Type: "application/json", Cache: "no-store"}, bucket.Condition{}); err != nil {
		return fmt.Errorf("notes: %w", err)
	}
	return nil
}
