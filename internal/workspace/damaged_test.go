//go:build unix

package workspace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/workspace"
	"mirror/targets"
	"mirror/targets/exec"
)

// TestARollbackToWhatIsDamagedSaysSo has a program's place lose a file of a release, of which nothing is known before it is read.
func TestARollbackToWhatIsDamagedSaysSo(t *testing.T) {
	t.Parallel()
	program, err := filepath.Abs("../../docs/targets/exec-example-all.sh")
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, root: t.TempDir(), warnings: &workspace.Warnings{}, lines: &lines{}, kinds: targets.Kinds{exec.Kind()}}
	p.write("mirror.yaml", fmt.Sprintf("version: 1\nsite: {dir: public}\ntargets: [{name: other, type: exec, command: [sh, %q, %q]}]\n", program, filepath.Join(p.root, "www")))
	p.write("public/index.html", "one")
	p.write("public/page.html", "page one")
	p.Workspace = p.open("state")
	first := p.publish().Release
	p.write("public/page.html", "page two")
	p.publish()
	copies, err := filepath.Glob(filepath.Join(p.root, "www/releases", string(first)+".*/page.html"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("got %q, %v", copies, err)
	}
	if err := os.WriteFile(copies[0], []byte("page xxx"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = p.open("another").Rollback(t.Context(), workspace.RollbackOptions{NoVerify: true})
	if err == nil || !strings.Contains(err.Error(), `"page.html": no target that was asked has this file`) || !strings.Contains(err.Error(), "hint: mirror rollback --list") ||
		strings.Contains(err.Error(), "changed while it was published") {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(p.root, "www/current/page.html")); err != nil || string(text) != "page two" {
		t.Errorf("live is %q, %v", text, err)
	}
}
