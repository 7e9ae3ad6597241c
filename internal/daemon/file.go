package daemon

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"

	"mirror/internal/regular"
)

// fileSettle is how long a file must be still: editors write in several steps.
const fileSettle = 300 * time.Millisecond

// FollowFile calls changed each time that a file's content is another one, until ctx ends. It
// follows the file's name, since editors, and those who deploy, put a new file in its place.
func FollowFile(ctx context.Context, file string, log *slog.Logger, changed func()) {
	f := followed{file: file, changed: changed, log: log}
	f.sum, _ = f.read()
	if err := f.listen(ctx); err != nil {
		log.Warn("the config is polled: the system does not report its changes", "every", pollInterval, "err", err)
		f.look(ctx)
	}
}

// followed is a file, and what it held when it was last told of.
type followed struct {
	file    string
	changed func()
	log     *slog.Logger
	sum     [sha256.Size]byte
}

// maxFollowed bounds a file that is followed, in bytes.
const maxFollowed = 16 << 20

func (f *followed) read() (sum [sha256.Size]byte, ok bool) {
	text, err := regular.ReadFile(f.file, maxFollowed)
	return sha256.Sum256(text), err == nil
}

// tell calls changed if there is another content. A file that is gone may be about to come
// back; the config so far stays.
func (f *followed) tell() {
	if sum, ok := f.read(); ok && sum != f.sum {
		f.sum = sum
		f.changed()
	}
}

// listen has the system tell of changes. The error says why it cannot.
func (f *followed) listen(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	if err := watchFile(watcher, f.file); err != nil {
		return err
	}
	still := time.NewTimer(0)
	defer still.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events: // of any name: a folder on the way to the file may have changed
			still.Reset(fileSettle)
		case err := <-watcher.Errors: // events were lost: as good as a change
			f.log.Debug("changes of the config may have been missed", "err", err)
			still.Reset(fileSettle)
		case <-still.C:
			if err := watchFile(watcher, f.file); err != nil { // a link may lead elsewhere now
				return err
			}
			f.tell()
		}
	}
}

func (f *followed) look(ctx context.Context) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.tell()
		}
	}
}
