package publish

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets"
)

// ErrBusy says that another publish runs from the same state folder.
var ErrBusy = errors.New("another publish is running here")

// Journal keeps, on disk, where a publish stands, so that a run after a crash can say what
// was going on. A nil Journal keeps nothing.
type Journal struct {
	file   string
	lock   *flock.Flock
	before Page // what the last publish left

	mu   sync.Mutex
	page Page
}

// Page is the journal's content: one publish.
type Page struct {
	Release    site.ID                 `json:"release"`
	Rollback   bool                    `json:"rollback,omitempty"` // the release was live before
	Began      time.Time               `json:"began"`
	Swaps      map[string]targets.Swap `json:"swaps"`      // what each destination was to do
	Committing []string                `json:"committing"` // whose commits may have begun
	Outcome    Outcome                 `json:"outcome"`    // "" while it runs
}

// Interrupted reports whether the publish never ended.
func (p Page) Interrupted() bool { return p.Release != site.None && p.Outcome == "" }

// Destinations lists the destinations that the publish was to change.
func (p Page) Destinations() []string { return slices.Sorted(maps.Keys(p.Swaps)) }

// maxPage bounds a journal, in bytes.
const maxPage = 64 << 20

// OpenJournal takes the journal in the state folder for this process alone, until Close,
// or gives ErrBusy. The page is what the last publish left.
func OpenJournal(state string) (*Journal, Page, error) {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, Page{}, fmt.Errorf("journal: %w", err)
	}
	lock := flock.New(filepath.Join(state, "lock"), flock.SetFlag(regular.LockFlags))
	switch held, err := lock.TryLock(); {
	case err != nil:
		return nil, Page{}, fmt.Errorf("journal: %w", err)
	case !held:
		return nil, Page{}, fmt.Errorf("%w (hint: wait for it, or give this one a state folder of its own with --state)", ErrBusy)
	}
	j := &Journal{file: filepath.Join(state, "journal.json"), lock: lock}
	text, err := regular.ReadFile(j.file, maxPage)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, regular.ErrNotRegular) {
		return nil, Page{}, errors.Join(fmt.Errorf("journal: %w", err), lock.Unlock())
	}
	var last Page
	if err == nil && json.Unmarshal(text, &last) != nil {
		last = Page{} // damaged: every target tells by itself what it holds
	}
	j.before = last
	return j, last, nil
}

// Close lets other processes publish.
func (j *Journal) Close() error { return j.lock.Unlock() }

func (j *Journal) begin(rel *site.Release, swaps map[string]targets.Swap) error {
	return j.write(func(p *Page) { *p = Page{Release: rel.ID(), Rollback: rel.Rollback, Began: time.Now(), Swaps: swaps} })
}

func (j *Journal) committing(destinations []string) error {
	return j.write(func(p *Page) { p.Committing = destinations })
}

func (j *Journal) end(o Outcome) error {
	return j.write(func(p *Page) { p.Outcome = o })
}

// unchanged ends the publish before, if that was interrupted: all destinations hold the release.
func (j *Journal) unchanged(rel *site.Release) error {
	if j == nil || !j.before.Interrupted() {
		return nil
	}
	return j.write(func(p *Page) {
		*p = Page{Release: rel.ID(), Rollback: rel.Rollback, Began: time.Now(), Outcome: Unchanged}
	})
}

func (j *Journal) write(change func(*Page)) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.page)
	text, err := json.MarshalIndent(j.page, "", "  ")
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := atomicfile.WriteFile(j.file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}
