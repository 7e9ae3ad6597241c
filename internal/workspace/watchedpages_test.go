package workspace

import (
	"testing"

	"mirror/internal/watch"
)

func TestWaitingLineSaysWhy(t *testing.T) {
	for want, at := range map[string]watch.Progress{
		"still waiting for bucket: DNS: no such host; 0 of 12 watched pages are new":  {Trouble: "DNS: no such host", All: 12},
		"still waiting for bucket: 3 of 12 watched pages are new":                     {New: 3, All: 12},
		"not waiting for bucket any longer: answers 301, away to https://example.com": {Trouble: "answers 301, away to https://example.com", Hopeless: true, All: 12},
	} {
		at.Name = "bucket"
		if got := waitingLine(at); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
