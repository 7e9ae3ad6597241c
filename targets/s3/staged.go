package s3

import (
	"fmt"
	"time"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// staged is what this process knows of a change that it has prepared.
type staged struct {
	change *documents.Change
	alive  verified.FactSet // the recorded facts about what stays; nil where that is not known
	fresh  []verified.Fact  // facts that no record has
}

// newChangeName is a name that no other change has, and that sorts by time.
func newChangeName() string {
	return fmt.Sprintf("%016x-%s", time.Now().UnixNano(), documents.NewNonce())
}

func beaconOf(rel *site.Release) *documents.Beacon {
	if rel.BeaconPath == "" {
		return nil
	}
	return &documents.Beacon{Path: rel.BeaconPath, Body: rel.Beacon()}
}

// receipts are the facts that follow from what the service said of what it stored.
func receipts(entries documents.Entries, made map[string]bucket.Receipt) []verified.Fact {
	var all []verified.Fact
	for path, r := range made {
		if e, ok := entries[path]; ok && r.ETag != "" && !r.At.IsZero() {
			all = append(all, verified.ReceiptOf(path, e.Size, r, e.Content))
		}
	}
	return all
}
