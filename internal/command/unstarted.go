package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// unstarted says why a command could not be started, and what to do. It wraps err.
func unstarted(cmd *exec.Cmd, err error) error {
	if cmd.Process != nil || err == nil || len(cmd.Args) == 0 {
		return err
	}
	name := cmd.Args[0]
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("there is no program %q in PATH (hint: install it, or write its path): %w", name, err)
	case errors.Is(err, fs.ErrNotExist) && !isThere(cmd.Dir):
		return fmt.Errorf("there is no folder %q to run %q in: %w", cmd.Dir, name, err)
	case errors.Is(err, fs.ErrNotExist) && isThere(cmd.Path, cmd.Dir):
		return fmt.Errorf("the interpreter that the first line of %q names is not there (hint: #!/bin/sh, and no carriage return at the end of the line): %w", name, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no program %q (hint: look at its path): %w", name, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%q may not be executed (hint: chmod +x): %w", name, err)
	case hasNoFormat(err):
		return fmt.Errorf("%q is no program that this system runs (hint: the first line of a script is #!/bin/sh or the like): %w", name, err)
	}
	return err
}

// isThere reports whether there is a file at a path, relative to the folders before it; "" is.
func isThere(path string, folders ...string) bool {
	if path == "" {
		return true
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(append(folders, path)...)
	}
	_, err := os.Stat(path)
	return err == nil
}
