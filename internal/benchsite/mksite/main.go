// Command mksite writes the site of docs/performance.md, or what a round changes in it.
//
//	mksite DIR           all of it
//	mksite DIR ROUND     one page in each folder
//	mksite DIR rebuilt   a new time for every file
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"mirror/internal/benchsite"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mksite:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1:
		return benchsite.Full.Write(args[0])
	case len(args) == 2 && args[1] == "rebuilt":
		return benchsite.Rebuild(args[0], time.Now())
	case len(args) == 2:
		round, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return benchsite.Full.Change(args[0], round)
	}
	return fmt.Errorf("usage: mksite DIR [ROUND | rebuilt]")
}
