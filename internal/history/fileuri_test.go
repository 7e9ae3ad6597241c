package history

import "testing"

func TestFileURI(t *testing.T) {
	for path, want := range map[string]string{
		"/var/lib/mirror/history.db":        "file:///var/lib/mirror/history.db",
		"/srv/50%/a?b#c/history.db":         "file:///srv/50%25/a%3Fb%23c/history.db",
		"C:/Users/me/.mirror/history.db":    "file:///C:/Users/me/.mirror/history.db",
		"//server/share/my site/history.db": "file:////server/share/my%20site/history.db",
	} {
		if got := fileURI(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
