package dir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mirror/internal/pointer"
	"mirror/targets/internal/releasedir"
)

// turn makes the link current lead elsewhere, in one step. to has slashes.
func (p *place) turn(to string) error {
	const made = releasedir.Current + releasedir.Partial
	err := p.root.RemoveAll(made)
	if err == nil {
		err = p.makeLink(to, made)
	}
	if err == nil {
		err = p.replace(made, releasedir.Current)
	}
	if err != nil {
		return fmt.Errorf("dir: turn %s: %w", releasedir.Current, err)
	}
	return syncFolder(p.root, ".")
}

// makeLink makes a symbolic link, or a pointer file where the system permits none.
func (p *place) makeLink(to, name string) error {
	if !p.plain {
		err := p.root.Symlink(filepath.FromSlash(to), name)
		if err == nil || !linksForbidden(err) {
			return err
		}
	}
	return p.modes.write(p.root, name, strings.NewReader(pointer.Text(to)))
}

// replace gives a link or a pointer file the name of another. A file system that replaces no link to a
// folder, as older ones of Windows do, has it removed first.
func (p *place) replace(made, name string) error {
	err := p.root.Rename(made, name)
	if info, statErr := p.root.Lstat(name); err == nil || !keepsLinks || statErr != nil || info.Mode()&os.ModeSymlink == 0 {
		return err
	}
	if removed := p.root.Remove(name); removed != nil {
		return errors.Join(err, removed)
	}
	return p.root.Rename(made, name)
}

func (p *place) clear() error {
	if err := p.root.Remove(releasedir.Current); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return syncFolder(p.root, ".")
}
