package verified

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"testing"
	"time"
)

// TestFactsStayValid: a fact that the earlier program recorded is still that of the same object.
func TestFactsStayValid(t *testing.T) {
	for _, o := range []bucket.Object{{Path: "a b/ü\"\\\x00.html", ETag: `"x"`, Size: 7, Modified: time.Unix(5, 6)}, {}} {
		c := Content{Digest: site.Digest(sha256.Sum256([]byte("x"))), Headers: bucket.Headers{Type: "text/html; charset=\"utf-8\"", Cache: "c"}}
		h := sha256.New()
		fmt.Fprintf(h, "%q %q %d %d %s %q %q %q %q", o.Path, o.ETag, o.Size, o.Modified.UnixNano(),
			c.Digest, c.Headers.Type, c.Headers.Cache, c.Headers.Encoding, c.Headers.Other)
		if got, want := FactOf(o, c), Fact(binary.BigEndian.Uint64(h.Sum(nil))); got != want {
			t.Errorf("%q: got %x, want %x", o.Path, got, want)
		}
	}
}
