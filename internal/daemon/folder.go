package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"mirror/internal/filestamp"
)

// pollInterval is how often files are looked at where the system cannot tell of changes.
const pollInterval = 10 * time.Second

// folder is a site's folder that is followed.
type folder struct {
	dir     string
	ignored func(path string) bool
	settle  time.Duration
	poll    time.Duration // how often it is looked at where the system cannot tell of changes
	log     *slog.Logger
}

// follow calls changed each time that the folder has been changed and then been still for
// a while, until ctx ends; at first, since no check was made before. Files that come and go while a generator works make no difference.
func (f folder) follow(ctx context.Context, changed func(ctx context.Context)) {
	err := f.listen(ctx, changed)
	if err == nil || ctx.Err() != nil {
		return
	}
	f.log.Warn("the site's folder is polled: the system does not report its changes",
		"site", f.dir, "every", f.poll, "err", err, "hint", hintFor(err))
	f.look(ctx, changed)
}

func hintFor(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
		return "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances"
	}
	return "check site.dir in the config"
}

// listen has the system tell of changes. The error says why it cannot.
func (f folder) listen(ctx context.Context, changed func(ctx context.Context)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	if err := f.add(watcher); err != nil {
		return err
	}
	still := time.NewTimer(f.settle)
	defer still.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-watcher.Events:
			if f.concerns(event) {
				still.Reset(f.settle)
			}
			if err := f.extend(watcher, event); err != nil {
				return err
			}
		case err := <-watcher.Errors: // events were lost: as good as a change
			f.log.Debug("changes of the site's folder were missed", "site", f.dir, "err", err)
			still.Reset(f.settle)
		case <-still.C:
			if err := f.add(watcher); err != nil {
				return err
			}
			if f.print() != "" {
				changed(ctx)
			}
		}
	}
}

// concerns reports whether an event is of the site. Its folder's own parent is listened to
// as well, since a generator may take the whole folder away and make it again.
func (f folder) concerns(event fsnotify.Event) bool {
	path, ok := f.inside(event.Name)
	return ok && !event.Op.Has(fsnotify.Chmod) && !f.ignores(path)
}

func (f folder) inside(name string) (string, bool) {
	path, err := filepath.Rel(f.dir, name)
	return filepath.ToSlash(path), err == nil && filepath.IsLocal(path)
}

func (f folder) ignores(path string) bool { return f.ignored != nil && path != "." && f.ignored(path) }

// extend listens to a folder that has just come.
func (f folder) extend(watcher *fsnotify.Watcher, event fsnotify.Event) error {
	if !event.Op.Has(fsnotify.Create) {
		return nil
	}
	if info, err := os.Lstat(event.Name); err != nil || !info.IsDir() {
		return nil
	}
	if _, ok := f.inside(event.Name); !ok {
		return nil
	}
	return f.addBelow(watcher, event.Name)
}

// add listens to the folder, to all below it, and to the one that it is in.
func (f folder) add(watcher *fsnotify.Watcher) error {
	if err := watcher.Add(filepath.Dir(f.dir)); err != nil {
		return err
	}
	return f.addBelow(watcher, f.top())
}

// top is the folder, and where that is a link, what it names now.
func (f folder) top() string { return f.dir + string(filepath.Separator) }

func (f folder) addBelow(watcher *fsnotify.Watcher, top string) error {
	return f.walk(top, func(name string, entry fs.DirEntry) error {
		if !entry.IsDir() {
			return nil
		}
		if err := watcher.Add(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// walk goes through what is not ignored. What vanishes meanwhile, or cannot be read, is passed over.
func (f folder) walk(top string, visit func(name string, entry fs.DirEntry) error) error {
	return filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		path, _ := f.inside(name)
		switch {
		case err != nil && entry != nil && entry.IsDir():
			return fs.SkipDir
		case err != nil:
			return nil
		case f.ignores(path) && entry.IsDir():
			return fs.SkipDir
		case f.ignores(path):
			return nil
		}
		return visit(name, entry)
	})
}

// look looks at the folder now and then.
func (f folder) look(ctx context.Context, changed func(ctx context.Context)) {
	tick := time.NewTicker(f.poll)
	defer tick.Stop()
	told, before := "", ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := f.print()
		if now != told && now == before && now != "" { // it was still for one turn
			told = now
			changed(ctx)
		}
		before = now
	}
}

// print is a fingerprint of the folder: the names and stamps of its files. It is ""
// where there is no file, as for a moment while a generator works.
func (f folder) print() string {
	if f.dir == "" {
		return ""
	}
	sum, files := sha256.New(), 0
	err := f.walk(f.top(), func(name string, entry fs.DirEntry) error {
		info, err := os.Stat(name) // a link stands for its file
		if err != nil || info.IsDir() {
			return nil //nolint:nilerr // it has gone
		}
		files++
		_, err = fmt.Fprintf(sum, "%q %v\n", name, filestamp.Of(info))
		return err
	})
	if err != nil || files == 0 {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}
