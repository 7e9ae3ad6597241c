package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mirror/targets/internal/releasedir"
	"path"
	"strings"
)

// ReadNotes reads the file of the notes. One that is not a regular file is none.
func (t *Target) ReadNotes(ctx context.Context, limit int64) ([]byte, error) {
	name, err := t.at(ctx, releasedir.Notes)
	if err != nil {
		return nil, err
	}
	info, err := t.host.Lstat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	text, err := t.host.ReadFile(ctx, name, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	return text, nil
}

// WriteNotes replaces that file.
func (t *Target) WriteNotes(ctx context.Context, text []byte) error {
	if _, err := t.makePlace(ctx); err != nil {
		return fmt.Errorf("notes: %w", err)
	}
	name, err := t.at(ctx, releasedir.Notes)
	if err != nil {
		return err
	}
	made := name + "." + newHolding() + releasedir.Partial
	if err = t.host.WriteFile(ctx, made, text, 0o600); err == nil {
		err = t.replaceNotes(ctx, made, name)
	}
	if err != nil {
		return fmt.Errorf("notes: %w", err)
	}
	return nil
}

func (t *Target) replaceNotes(ctx context.Context, made, name string) error {
	if info, err := t.host.Lstat(ctx, name); err == nil && !info.Mode().IsRegular() {
		if err := t.host.RemoveAll(ctx, path.Dir(name), []string{path.Base(name)}); err != nil {
			return err
		}
	}
	err := t.host.Replace(ctx, made, name)
	if err != nil {
		_ = t.host.Remove(context.WithoutCancel(ctx), made) // it may be left
	}
	return err
}

// dropLeftovers removes what interrupted writes of notes, and of the register, left.
func (t *Target) dropLeftovers(ctx context.Context) error {
	root, err := t.at(ctx)
	if err != nil {
		return err
	}
	all, err := t.host.ReadDir(ctx, root)
	if err != nil {
		return err
	}
	var left []string
	for _, info := range all {
		name := info.Name()
		ours := strings.HasPrefix(name, releasedir.Notes+".") || strings.HasPrefix(name, register+".")
		if ours && strings.HasSuffix(name, releasedir.Partial) && old(info) {
			left = append(left, name)
		}
	}
	return t.host.RemoveAll(ctx, root, left)
}
