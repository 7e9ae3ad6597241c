package git

import (
	"errors"
	"log/slog"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/sshsig"
	"mirror/targets/git/internal/wire"
	"mirror/targets/grace"
)

// Target is one branch of one repository.
type Target struct {
	remote  wire.Remote
	host    string // "" for a local repository
	branch  plumbing.ReferenceName
	cname   string
	rescue  time.Duration // as parseRescue returns it
	last    int           // how many commits the branch may have, 0 for all
	author  mail.Address
	key     *sshsig.Key // signs commits; nil for none
	secrets *secretList // never shown
	log     *slog.Logger
	keep    targets.Keep
	stays   *grace.Policy // of earlier releases
	known   *objects.Cache
	blobs   *blobIDs
	state   string      // folder for what is remembered, "" for none
	whole   atomic.Bool // the server takes no thin packs, whatever it says
	forward atomic.Bool // the server moves the branch only to what follows its head
	owner   string
	lease   time.Duration // how long a reservation without a sign of life keeps others out

	warnings warnings

	reserved sync.Map   // targets.Swap → *reservation: those that this process holds
	seeing   sync.Mutex // guards seen
	seen     sighting   // the last reservation of another publisher
}

var (
	_ targets.Target   = (*Target)(nil)
	_ targets.Guard    = (*Target)(nil)
	_ targets.Eraser   = (*Target)(nil)
	_ targets.Gracer   = (*Target)(nil)
	_ targets.Rescuer  = (*Target)(nil)
	_ targets.Restorer = (*Target)(nil)
	_ targets.Warner   = (*Target)(nil)
)

// sighting is a reservation of another publisher, and since when it is known unchanged.
type sighting struct {
	hash  plumbing.Hash
	since time.Time
	said  objects.Reservation
}

// redact takes secrets out of an error that leaves the package.
func (t *Target) redact(err *error) {
	if *err == nil {
		return
	}
	text := (*err).Error()
	for _, secret := range t.secrets.all() {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	if text != (*err).Error() {
		*err = &redactedError{text: text, err: *err}
	}
}

// redactedError keeps an error's identity and not its text.
type redactedError struct {
	text string
	err  error
}

// Error is the error's text without secrets.
func (e *redactedError) Error() string { return e.text }

// Is finds the sentinels of the hidden error. There is no Unwrap, which would hand the
// hidden text out.
func (e *redactedError) Is(target error) bool { return errors.Is(e.err, target) }

// TakeWarnings tells where the host refuses what history: says.
func (t *Target) TakeWarnings() []string {
	t.warnings.mu.Lock()
	defer t.warnings.mu.Unlock()
	all := t.warnings.all
	t.warnings.all = nil
	return all
}
