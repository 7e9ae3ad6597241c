package ssh

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

// The register is a folder with one folder in it, whose name says who holds the place. Its name is changed
// by rename(2), for which the name that is expected has to be there: of two publishers one succeeds, and one
// that was silent for too long finds its name gone. What a publisher turns current to lies in its folder, so
// that one that has lost the place can turn it no more.
const (
	register  = ".mirror.held"
	freeEntry = "free"
)

// entry is the name of the folder in the register: who holds the place, a number of this holding, and how
// often it gave a sign of life.
type entry struct {
	publisher string // "" for a place that is free
	holding   string
	beat      int
}

// String is the name of the folder.
func (e entry) String() string {
	if e.publisher == "" {
		return freeEntry
	}
	return e.publisher + "." + e.holding + "." + strconv.Itoa(e.beat)
}

// parseEntry takes a name that is none of ours for a holder without a name.
func parseEntry(name string) entry {
	parts := strings.Split(name, ".")
	beat := 0
	if len(parts) == 3 {
		beat, _ = strconv.Atoi(parts[2]) // compared below
	}
	if e := (entry{parts[0], parts[min(1, len(parts)-1)], beat}); e.String() == name && e.publisher != "" {
		return e
	}
	return entry{}
}

func newHolding() string { return strings.ToLower(rand.Text()[:16]) }

// digestName is a name for a file that stands for a text.
func digestName(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// readTries is how often the register is read that shows no entry: the name of one may be changed in that moment.
const readTries = 5

// readRegister returns the name of the entry, and makes the register where there is none.
func (t *Target) readRegister(ctx context.Context) (string, error) {
	folder, err := t.at(ctx, register)
	if err != nil {
		return "", err
	}
	for range readTries {
		all, err := t.host.ReadDir(ctx, folder)
		if errors.Is(err, fs.ErrNotExist) {
			if err := t.makeRegister(ctx, folder); err != nil {
				return "", err
			}
			continue
		}
		if err != nil {
			return "", err
		}
		var names []string
		for _, info := range all {
			if info.IsDir() {
				names = append(names, info.Name())
			}
		}
		if len(names) > 1 {
			names = slices.DeleteFunc(names, func(name string) bool { return name == freeEntry })
		}
		if len(names) > 0 {
			return slices.Max(names), nil
		}
	}
	if err := t.host.Mkdir(ctx, path.Join(folder, freeEntry)); err != nil {
		return "", err
	}
	return freeEntry, nil
}

// makeRegister makes the register with its entry in one step.
func (t *Target) makeRegister(ctx context.Context, folder string) error {
	if _, err := t.makePlace(ctx); err != nil {
		return err
	}
	made := folder + "." + newHolding() + releasedir.Partial
	err := t.host.Mkdir(ctx, made)
	if err == nil {
		err = t.host.Mkdir(ctx, path.Join(made, freeEntry))
	}
	if err == nil {
		err = t.host.Rename(ctx, made, folder)
	}
	if err == nil {
		return nil
	}
	_ = t.host.RemoveAll(ctx, path.Dir(made), []string{path.Base(made)}) // it may be left
	if _, there := t.host.Lstat(ctx, folder); there == nil {
		return nil // another publisher was quicker
	}
	return fmt.Errorf("reserve: %w", err)
}

// move changes the entry's name. It gives ErrConflict where the entry is not there any more.
func (t *Target) move(ctx context.Context, from, to string) error {
	folder, err := t.at(ctx, register)
	if err != nil {
		return err
	}
	err = t.host.Rename(ctx, path.Join(folder, from), path.Join(folder, to))
	if errors.Is(err, fs.ErrNotExist) {
		return errLost
	}
	return err
}

var errLost = fmt.Errorf("%w: the reservation is lost: this publisher was silent for too long, and another one took the place over", targets.ErrConflict)

// publisherName names a publisher in file names; one without a name gets one for the life of the process.
func publisherName(owner string) string {
	if owner == "" {
		return strings.ToLower(rand.Text()[:16])
	}
	return digestName(owner)
}
