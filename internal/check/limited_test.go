package check_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/internal/check"
	"mirror/internal/longtest"
	"mirror/internal/origin"
	"mirror/internal/realserver"
)

// TestRunOfALimitingNginx has a real nginx refuse most of what it is asked for at first.
func TestRunOfALimitingNginx(t *testing.T) {
	longtest.Skip(t, "waits as long as nginx limits requests")
	for _, status := range []int{429, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			many, root := files{}, t.TempDir()
			for i := range 40 {
				path := fmt.Sprintf("%02d.html", i)
				many[path] = "page " + path
				if err := os.WriteFile(filepath.Join(root, path), []byte(many[path]), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(root, 0o755); err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(realserver.NginxLimited(t, root, 10, 3, status) + "/")
			if err != nil {
				t.Fatal(err)
			}
			at := origin.Endpoint{Name: "a", URL: u, Options: origin.Options{Concurrency: 16, Rate: 200, Timeout: 20 * time.Second, Confirm: 1}}
			m := many.manifest()
			v := run(t, check.Options{Release: m.ID(), Manifest: m}, at)
			if o := v.Origins[0]; !v.Agree() || o.Facts.Limited == 0 || o.Match != len(many) {
				t.Errorf("got %q; %d pages of %d match, %d requests were refused, %v", drifts(v), o.Match, len(many), o.Facts.Limited, o.Err)
			}
			if !slices.ContainsFunc(v.Notes, func(n string) bool {
				return strings.Contains(n, "a limits requests") && strings.Contains(n, "check.rate")
			}) {
				t.Errorf("the notes are %q", v.Notes)
			}
			t.Logf("%q", v.Notes)
		})
	}
}
