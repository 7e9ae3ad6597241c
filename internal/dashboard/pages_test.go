package dashboard_test

import (
	"io"
	"net/http"
	"testing"
)

// get reads a page.
func (w *world) get(path string) (*http.Response, string) {
	w.t.Helper()
	answer, err := http.Get(w.server.URL + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer, string(body)
}

// everyPage lists the pages of a lived world.
func everyPage() []string {
	return []string{"/", "/origins/bucket", "/publishes", "/publishes/3", "/publishes/2", "/episodes", "/episodes/1", "/checks", "/history", "/history?days=90", "/jobs", "/jobs/drift", "/nowhere"}
}

func TestEveryPageIsWhole(t *testing.T) {
	w := newWorld(t, nil)
	w.lived()
	for _, path := range everyPage() {
		answer, body := w.get(path)
		t.Log(path, answer.Status, len(body), body[len(body)-20:])
	}
}
