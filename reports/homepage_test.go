package reports

import "testing"

func TestAddressOfAModule(t *testing.T) {
	for module, want := range map[string]string{
		"mirror": "", "": "", "internal/mirror": "", "example.com": "",
		"github.com/me/mirror": "https://github.com/me/mirror", "git.example.org/mirror": "https://git.example.org/mirror",
	} {
		if got := addressOf(module); got != want {
			t.Errorf("%q: got %q, want %q", module, got, want)
		}
	}
}
