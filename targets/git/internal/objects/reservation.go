package objects

import (
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"mirror/site"
)

// Reservation is what a commit without files says that keeps a branch reserved for one publish.
type Reservation struct {
	To     site.ID // what is to be committed
	Owner  string
	Holder string // which call of the owner's
	Beat   int    // counts renewals
}

const (
	trailerReserved = "Mirror-Reserved-For"
	trailerOwner    = "Mirror-Owner"
	trailerHolder   = "Mirror-Holder"
	trailerBeat     = "Mirror-Beat"
)

// NewReservation makes the commit of a reservation. No two reservations, and no two beats of
// one, have the same name.
func NewReservation(author mail.Address, now time.Time, r Reservation) Commit {
	return emptyCommit(author, now, fmt.Sprintf("Reserve %s\n\n%s: %s\n%s: %s\n%s: %s\n%s: %d\n", r.To.Short(),
		trailerReserved, r.To, trailerOwner, quoteOdd(r.Owner), trailerHolder, r.Holder, trailerBeat, r.Beat))
}

// maxOwner bounds the name of an owner, in bytes.
const maxOwner = 200

// ParseReservation reads the commit of a reservation, which may be anybody's. It reports false
// for a commit that is none.
func ParseReservation(c Commit) (Reservation, bool) {
	obj := &plumbing.MemoryObject{}
	obj.SetType(plumbing.CommitObject)
	_, _ = obj.Write(c.Raw) // memory takes every write
	var read object.Commit
	if err := read.Decode(obj); err != nil {
		return Reservation{}, false
	}
	said := lastParagraph(read.Message)
	to, err := site.ParseID(said[trailerReserved])
	if err != nil || said[trailerHolder] == "" {
		return Reservation{}, false
	}
	r := Reservation{To: to, Owner: unquoted(said[trailerOwner]), Holder: said[trailerHolder]}
	r.Owner = strings.ToValidUTF8(r.Owner[:min(len(r.Owner), maxOwner)], "")
	r.Beat, _ = strconv.Atoi(said[trailerBeat]) // 0 where it says none
	return r, true
}
