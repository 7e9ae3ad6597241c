package s3_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/stall"
	"mirror/internal/stall/stalltest"
	"mirror/targets/targettest"
)

// TestServicesThatStall has services accept connections and make no progress. Nothing is asked for
// again: that would take as long for each repetition.
func TestServicesThatStall(t *testing.T) {
	for name, peer := range stalltest.Peers() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &place{endpoint: "http://s3.example", bucket: "site", key: "key", secret: "secret"}
				tgt := p.open(t, stalltest.Transport(t, peer))
				began := time.Now()
				_, err := tgt.Plan(t.Context(), targettest.Release(targettest.Files{"index.html": "home"}))
				took := time.Since(began)
				if _, ok := errors.AsType[*stall.Error](err); !ok || took > stall.Limit+time.Second || strings.Contains(err.Error(), "StatusCode") {
					t.Errorf("got %v after %s", err, took)
				}
				t.Logf("%s: %v", took, err)
			})
		})
	}
}
