package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mirror/site"
	"mirror/targets/exec/internal/protocol"
)

// write makes a file for the program.
func write(folder, name string, text []byte) (string, error) {
	file := filepath.Join(folder, name)
	return file, os.WriteFile(file, text, 0o600)
}

// writeLines makes a file of lines.
func writeLines(folder, name string, lines []string) (string, error) {
	var text bytes.Buffer
	for _, one := range lines {
		text.WriteString(one + "\n")
	}
	return write(folder, name, text.Bytes())
}

// lay writes the release into a folder.
func lay(ctx context.Context, folder string, rel *site.Release) (protocol.Request, error) {
	r := protocol.Request{
		Op: "stage", Release: rel.ID(), Folder: filepath.Join(folder, "site"), Manifest: filepath.Join(folder, "manifest"), Beacon: rel.BeaconPath,
	}
	for _, f := range rel.Manifest {
		if err := layFile(ctx, r.Folder, rel, f); err != nil {
			return r, fmt.Errorf("stage %q: %w", f.Path, err)
		}
	}
	var list bytes.Buffer
	_, err := rel.Manifest.WriteTo(&list)
	if err == nil {
		err = os.WriteFile(r.Manifest, list.Bytes(), 0o600)
	}
	for path, text := range rel.Beside() {
		name := filepath.Join(r.Folder, filepath.FromSlash(path))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(name), 0o755)
		}
		if err == nil {
			err = os.WriteFile(name, text, 0o644)
		}
	}
	return r, err
}

func layFile(ctx context.Context, folder string, rel *site.Release, f site.File) error {
	from, err := rel.OpenContext(ctx, f)
	if err != nil {
		return err
	}
	defer from.Close()
	name := filepath.Join(folder, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
