package wire

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/command"
	"mirror/internal/realserver"
)

// TestWordsOfSSH has an ssh program that prints a lot, with control characters, and then ends.
func TestWordsOfSSH(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "sh")
	program := filepath.Join(t.TempDir(), "program")
	script := "#!/bin/sh\nprintf 'Host key verification failed.\\033[31m\\n' >&2\nfor i in 1 2 3 4 5 6 7 8 9; do printf '%01000d' 0 >&2; done\nexit 255\n"
	if err := os.WriteFile(program, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"GIT_SSH_COMMAND": "sh '" + program + "'", "GIT_SSH_VARIANT": "ssh"}
	at, err := Locate("blog:site.git", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRemote(at, Options{Getenv: func(name string) string { return env[name] }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), r, UploadPack)
	if err == nil {
		t.Fatal("got nil, want an error")
	}
	text := err.Error()
	for _, want := range []string{"ssh to blog: Host key verification failed.", "(hint: check the host's key, then: ssh-keyscan blog >> ~/.ssh/known_hosts)"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %.200s… and …%s; want %s", text, text[max(0, len(text)-200):], want)
		}
	}
	if len(text) > command.MaxWords+1000 || strings.Contains(text, "\x1b") {
		t.Errorf("got %d bytes", len(text))
	}
}
