package command

import "testing"

func TestShellLine(t *testing.T) {
	got := shellLine(`C:\Windows\System32\cmd.exe`, `npm run build -- --out "my site"`)
	if want := `"C:\Windows\System32\cmd.exe" /d /s /c "npm run build -- --out "my site""`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
