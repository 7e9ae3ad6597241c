package wire

import (
	"errors"
	"io"
	"strings"
	"testing"

	"mirror/targets/git/internal/objects"
)

func TestBounded(t *testing.T) {
	r := &bounded{r: strings.NewReader("more than that"), left: 4}
	if b, err := io.ReadAll(r); string(b) != "more" || !errors.Is(err, objects.ErrTooMuch) {
		t.Errorf("got %q, %v; want four bytes and ErrTooMuch", b, err)
	}
}
