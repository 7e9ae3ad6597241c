package bucket

import "testing"

func TestEscapeKey(t *testing.T) {
	if got, want := escapeKey("a b/+%2b#?文.~_-"), "a%20b/%2B%252b%23%3F%E6%96%87.~_-"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
