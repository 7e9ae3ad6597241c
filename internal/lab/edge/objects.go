package edge

import (
	"context"
	"crypto/sha256"
	"iter"
	"net/http"
	"sync"
	"time"

	"mirror/internal/wait"
)

// Objects are the contents of a bucket as its visitors see them: each write becomes
// visible by itself, at the origin's pace. T is what lies under a key.
type Objects[T any] struct {
	public func(key string) bool // visitors are shown no other keys
	digest func(T) [sha256.Size]byte
	front  *front

	mu      sync.RWMutex // guards what follows
	written map[string][]version[T]
	last    time.Time // when the last of them is due at the origin
	trickle time.Time // when the last of those is due that trickle
}

// version is what a key holds from a write on.
type version[T any] struct {
	edition
	value T
}

// NewObjects returns objects of which none was ever written.
func NewObjects[T any](public func(key string) bool, digest func(T) [sha256.Size]byte) *Objects[T] {
	return &Objects[T]{public: public, digest: digest, front: newFront(), written: map[string][]version[T]{}}
}

func (o *Objects[T]) edge() *front { return o.front }

// Put writes a value, to be seen when its time has come, or by every cache at once.
func (o *Objects[T]) Put(key string, value T, atOnce bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := due{from: time.Now(), everywhere: true}
	if !atOnce {
		at = o.next()
		o.last = later(o.last, at.from)
	}
	versions := append(o.written[key], version[T]{edition{due: at, digest: o.digest(value)}, value})
	o.written[key] = versions
	versions[len(versions)-1].noted = time.Now()
}

// next is when something written now is to be seen. The caller must hold mu.
func (o *Objects[T]) next() due {
	p := o.front.draw()
	from := time.Now().Add(p.delay)
	if p.perFile > 0 {
		from = later(from, o.trickle.Add(p.perFile))
		o.trickle = from
	}
	return due{from: from}
}

// Meet has a cache answer a request, and returns what that cache shows under a key: the last
// write whose time has come, whatever became of the earlier ones; the zero value for none.
func (o *Objects[T]) Meet(w http.ResponseWriter, r *http.Request) func(key string) T {
	v := o.front.meet(w, r)
	return func(key string) (none T) {
		if !o.public(key) {
			return none
		}
		o.mu.RLock()
		defer o.mu.RUnlock()
		versions := o.written[key]
		for i := len(versions) - 1; i >= 0; i-- {
			if v.sees(versions[i].due) {
				return versions[i].value
			}
		}
		return none
	}
}

// settle waits until every cache shows all that was written, but for those that are stuck.
func (o *Objects[T]) settle(ctx context.Context) error {
	for {
		left := time.Until(o.turned())
		if left <= 0 {
			return nil
		}
		if err := wait.Sleep(ctx, left); err != nil {
			return err
		}
	}
}

// turned is when the last cache turns to the last of what was written.
func (o *Objects[T]) turned() time.Time {
	o.mu.RLock()
	written := due{from: o.last}
	o.mu.RUnlock()
	c := o.front.current.Load()
	last := written.from
	for _, edge := range c.all() {
		if at, ok := c.turn(edge, written); ok {
			last = later(last, at)
		}
	}
	return last
}

// refresh has nothing to do: whatever was written is kept.
func (o *Objects[T]) refresh() {}

// editions lists all that was ever written under each key that visitors are shown.
func (o *Objects[T]) editions() iter.Seq2[string, []edition] {
	return func(yield func(string, []edition) bool) {
		o.mu.RLock()
		defer o.mu.RUnlock()
		for key, versions := range o.written {
			if !o.public(key) {
				continue
			}
			all := make([]edition, len(versions))
			for i, v := range versions {
				all[i] = v.edition
			}
			if !yield(key, all) {
				return
			}
		}
	}
}
