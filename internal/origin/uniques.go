package origin

import (
	"errors"
	"sync/atomic"
)

// MostUnique is how many requests with a query that was never used before one publish or one check sends to an origin.
// Each leaves an object in every cache that has the query in its key.
const MostUnique = 32

// ErrNoUnique says that no request with a query of its own is left.
var ErrNoUnique = errors.New("no request past the caches is left")

// Uniques is a budget of requests with a query that was never used before. Clients of the same origin share it.
// It is safe for concurrent use.
type Uniques struct{ left atomic.Int64 }

// NewUniques returns a budget of n requests.
func NewUniques(n int) *Uniques {
	var u Uniques
	u.Renew(n)
	return &u
}

// Renew begins anew with n requests.
func (u *Uniques) Renew(n int) { u.left.Store(int64(n)) }

// Left returns how many requests are left.
func (u *Uniques) Left() int { return int(max(u.left.Load(), 0)) }

// Split takes half of what is left for n other clients, and returns how many each of them gets. A nil budget has none.
func (u *Uniques) Split(n int) int {
	if u == nil || n <= 0 {
		return 0
	}
	each := u.Left() / 2 / n
	u.left.Add(-int64(each * n))
	return each
}

// take takes one, and reports whether one was left.
func (u *Uniques) take() bool { return u.left.Add(-1) >= 0 }

// CacheTraits are what is known of the caches before an origin. The zero value is a cache that has the query in its key and
// ignores what a request says of caching.
type CacheTraits struct {
	// IgnoresQuery is whether the key leaves out the query: a request with another query gets, and fills, what visitors get.
	IgnoresQuery bool `json:",omitzero"`
	// Directives is whether Cache-Control: no-cache, no-store in a request is honoured: it reaches the origin, and leaves nothing.
	Directives bool `json:",omitzero"`
}

// Private reports whether a request can go past the caches without any effect on what visitors get.
func (t CacheTraits) Private() bool { return t.Directives || !t.IgnoresQuery }
