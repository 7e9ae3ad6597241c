package s3

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
)

// aclMemory is what an earlier process found out about the ACLs of a bucket, in the state folder. Losing it costs a
// few requests.
type aclMemory struct {
	Place string    `json:"place"` // the service, the bucket and the prefix
	None  time.Time `json:"none"`  // when no object was found to have an ACL to keep
}

// noneFor is for how long it is believed that no object of a bucket has an ACL to keep: another tool may give one.
const noneFor = 24 * time.Hour

const maxACLMemory = 1 << 12 // bytes

func (t *Target) aclFile() string { return filepath.Join(t.state, "acls.json") }

func (t *Target) aclPlace() string { return t.where.String() + " " + t.place }

// hadNoACLs reports whether no object of the bucket had an ACL to keep, a short time ago.
func (t *Target) hadNoACLs() bool {
	if t.state == "" {
		return false
	}
	text, err := regular.ReadFile(t.aclFile(), maxACLMemory)
	var m aclMemory
	if err != nil || json.Unmarshal(text, &m) != nil {
		return false
	}
	age := time.Since(m.None)
	return m.Place == t.aclPlace() && age >= 0 && age < noneFor
}

// noteNoACLs remembers that no object of the bucket has an ACL to keep.
func (t *Target) noteNoACLs() {
	if t.state == "" {
		return
	}
	text, err := json.Marshal(aclMemory{Place: t.aclPlace(), None: time.Now().UTC()})
	if err == nil {
		err = os.MkdirAll(t.state, 0o700)
	}
	if err == nil {
		err = atomicfile.WriteFile(t.aclFile(), text, 0o600)
	}
	if err != nil {
		t.log.Warn("what is known of the bucket's ACLs could not be saved; the next publish asks again", "err", err)
	}
}
