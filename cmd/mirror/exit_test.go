package main

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/spf13/cobra"
)

// TestEndingKeepsTheVerdict looks at what a gate sees when a report cannot be written.
func TestEndingKeepsTheVerdict(t *testing.T) {
	full := errors.New("no space left on device")
	a := &app{getenv: os.Getenv, stderr: &bytes.Buffer{}}
	for _, test := range []struct {
		verdict, written error
		want             int
	}{
		{nil, nil, exitAgree},
		{nil, full, exitFailed},
		{&exit{exitDisagree, nil}, nil, exitDisagree},
		{&exit{exitDisagree, nil}, full, exitDisagree},
	} {
		if got := a.conclude(t.Context(), &cobra.Command{}, nil, ending(test.verdict, test.written)); got != test.want {
			t.Errorf("%v, %v: got exit code %d, want %d", test.verdict, test.written, got, test.want)
		}
	}
}
