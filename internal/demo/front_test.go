package demo_test

import (
	"io"
	"testing"

	"mirror/internal/demo"
	"mirror/internal/lab"
	"mirror/internal/longtest"
	"mirror/internal/workspace"
	"mirror/site"
	"mirror/targets/kinds"
)

// TestFront goes through the story of the front.
func TestFront(t *testing.T) {
	longtest.Skip(t, "runs a whole demo")
	t.Parallel()
	l, err := lab.Start(t.Context(), lab.Options{ContentType: site.ContentType})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // what it leaves is in a folder of its own
	home := t.TempDir()
	doc, err := demo.Run(t.Context(), demo.Options{
		Lab: l, Front: true, Begin: func(string) {},
		In: func(file string, do func(w *workspace.Workspace) error) error {
			w, err := workspace.Open(workspace.Options{
				ConfigFile: file, Kinds: kinds.All(), Events: workspace.NewLines(io.Discard), Warnings: &workspace.Warnings{},
				Getenv: l.Getenv(func(name string) string { return map[string]string{"HOME": home}[name] }),
			})
			if err != nil {
				return err
			}
			defer w.Close()
			return do(w)
		},
	})
	if err != nil || !doc.OK || len(doc.Steps) != 9 {
		t.Errorf("got %+v, %v", doc, err)
	}
}
