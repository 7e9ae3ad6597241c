package diff_test

import (
	"crypto/sha256"
	"errors"
	"testing"

	"mirror/diff"
	"mirror/site"
)

var (
	oldBytes   = site.Digest{1}
	newBytes   = site.Digest{2}
	newerBytes = site.Digest{3}
	otherBytes = site.Digest{4}
)

func TestWindowSee(t *testing.T) {
	changed := diff.Change{Path: "a", Old: oldBytes, New: newBytes}
	added := diff.Change{Path: "a", New: newBytes}
	removed := diff.Change{Path: "a", Old: oldBytes}
	empty := diff.Change{Path: "a", Old: oldBytes, New: sha256.Sum256(nil)}
	for _, c := range []struct {
		name   string
		change diff.Change
		o      site.Observation
		want   diff.Side
	}{
		{"old", changed, served(200, oldBytes), diff.Old},
		{"new", changed, served(200, newBytes), diff.New},
		{"new as sent", changed, site.Observation{Status: 200, Digest: otherBytes, Raw: newBytes}, diff.New},
		{"old as sent, new once unpacked", changed, site.Observation{Status: 200, Digest: newBytes, Raw: oldBytes}, diff.Neither},
		{"other bytes", changed, served(200, otherBytes), diff.Neither},
		{"body not read", changed, served(200, site.Digest{}), diff.Neither},
		{"empty", changed, served(200, sha256.Sum256(nil)), diff.Neither},
		{"not found", changed, served(404, otherBytes), diff.Neither},
		{"a host's way with the not-found page", changed, served(404, newBytes), diff.New},
		{"not there yet", added, served(404, otherBytes), diff.Old},
		{"added", added, served(200, newBytes), diff.New},
		{"not there, with the bytes", added, served(404, newBytes), diff.Neither},
		{"added, body not read", added, served(200, site.Digest{}), diff.Neither},
		{"still there", removed, served(200, oldBytes), diff.Old},
		{"removed", removed, served(404, otherBytes), diff.New},
		{"gone", removed, served(410, otherBytes), diff.New},
		{"removed, says a page", removed, served(200, otherBytes), diff.Neither},
		{"removed, and forbidden", removed, served(403, otherBytes), diff.Neither},
		{"empty and right", empty, served(200, sha256.Sum256(nil)), diff.New},
		{"no content", empty, served(204, sha256.Sum256(nil)), diff.Neither},
		{"not modified", empty, served(304, sha256.Sum256(nil)), diff.Neither},
		{"moved", changed, served(301, newBytes), diff.Neither},
		{"in a server error", changed, served(503, newBytes), diff.Neither},
		{"removed, or down", removed, served(502, otherBytes), diff.Neither},
		{"a part", changed, served(206, newBytes), diff.Neither},
		{"cut", changed, site.Observation{Status: 200, Digest: newBytes, Err: errors.New("cut")}, diff.Neither},
		{"absent, and cut", removed, site.Observation{Status: 404, Err: errors.New("cut")}, diff.Neither},
		{"nothing", removed, site.Observation{}, diff.Neither},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.change.See(c.o); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func served(status int, d site.Digest) site.Observation {
	return site.Observation{Status: status, Digest: d, Raw: d}
}
