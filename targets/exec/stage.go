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
	"mirror/targets"
)

// Stage gives the program a folder with the release, and the list of the live files that are to stay beside it.
func (t *Target) Stage(ctx context.Context, rel *site.Release, progress targets.Progress) error {
	if progress != nil {
		progress.Expect(len(rel.Manifest), rel.Manifest.Bytes())
	}
	beside, err := t.besideStaged(ctx, rel)
	if err != nil {
		return err
	}
	told := 0
	hear := func(l line) error {
		if l.Progress != nil && progress != nil && l.Progress.Files >= 0 && l.Progress.Bytes >= 0 {
			progress.Sent(l.Progress.Files, l.Progress.Bytes)
			told++
		}
		return nil
	}
	prepare := func(folder string) (request, error) {
		r, err := lay(ctx, folder, rel)
		return r, errors.Join(err, beside.lay(folder, &r))
	}
	err = t.ask(ctx, request{}, steps{prepare: prepare, hear: hear})
	if err == nil && told == 0 && progress != nil {
		progress.Sent(len(rel.Manifest), rel.Manifest.Bytes())
	}
	return err
}

// lay writes the release into a folder.
func lay(ctx context.Context, folder string, rel *site.Release) (request, error) {
	r := request{
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
	if err == nil && rel.BeaconPath != "" {
		name := filepath.Join(r.Folder, filepath.FromSlash(rel.BeaconPath))
		if err = os.MkdirAll(filepath.Dir(name), 0o755); err == nil {
			err = os.WriteFile(name, rel.Beacon(), 0o644)
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
