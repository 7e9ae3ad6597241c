package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"mirror/targets/internal/releasedir"
)

// makePlace makes the folder of the releases, and those around it.
func (t *Target) makePlace(ctx context.Context) (string, error) {
	folder, err := t.at(ctx, releasedir.Releases)
	if err != nil {
		return "", err
	}
	if info, err := t.host.Lstat(ctx, folder); err == nil {
		if !info.IsDir() {
			return "", fmt.Errorf("%s is not a folder (hint: move it away; mirror makes a folder there)", folder)
		}
		return folder, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	root := path.Dir(folder)
	if _, err := t.host.Lstat(ctx, root); errors.Is(err, fs.ErrNotExist) {
		if err := t.host.MakeFolders(ctx, "/", []string{strings.TrimPrefix(path.Join(root, "x"), "/")}, t.modes); err != nil {
			return "", err
		}
	}
	return folder, t.host.MakeFolders(ctx, root, []string{releasedir.Link("x")}, t.modes)
}
