// Package atomicfile replaces a file in one step: a reader, and the next run after a crash, finds
// the old bytes or the new ones and never a part. It works on every system that Go builds for;
// github.com/google/renameio leaves out Windows.
package atomicfile

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// WriteFile makes data the content of a file. A regular file that is there keeps its mode; a new
// one gets perm as far as the umask permits.
func WriteFile(name string, data []byte, perm fs.FileMode) error {
	f, err := Create(name, perm)
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Replace()
}

// Pending is a file that is written beside the one that it is going to replace.
type Pending struct {
	*os.File
	name         string // of the file to replace
	closed, done bool
}

// Create makes an empty file in the folder of name. Its own name is a dot, the base of name and a
// number.
func Create(name string, perm fs.FileMode) (*Pending, error) {
	const tries = 1000
	stem := filepath.Join(filepath.Dir(name), "."+filepath.Base(name))
	var err error
	for range tries {
		var f *os.File
		f, err = os.OpenFile(stem+strconv.FormatUint(rand.Uint64(), 10), os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if err == nil {
			return &Pending{File: f, name: name}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return nil, err
}

// Replace stores what was written durably, closes the file and gives it the name of the file that
// it replaces.
func (p *Pending) Replace() error {
	if err := p.Sync(); err != nil {
		return err
	}
	p.closed = true
	if err := p.File.Close(); err != nil {
		return err
	}
	err := insist(func() error { return os.Rename(p.Name(), p.name) }, inUse, time.Sleep)
	p.done = err == nil
	return err
}

// Cleanup closes and removes the file where Replace did not succeed; otherwise it does nothing.
func (p *Pending) Cleanup() error {
	if p.done {
		return nil
	}
	p.done = true
	var err error
	if !p.closed {
		err = p.File.Close()
	}
	return errors.Join(err, os.Remove(p.Name()))
}

// insist repeats what fails because a file is in use, for about a second in all. On Windows a
// file that another program reads, such as a virus scanner, cannot be replaced meanwhile.
func insist(do func() error, inUse func(error) bool, sleep func(time.Duration)) error {
	const longest = 500 * time.Millisecond
	err := do()
	for pause := time.Millisecond; pause < 2*longest && inUse(err); pause *= 2 {
		sleep(pause)
		err = do()
	}
	return err
}
