package accesslog

import (
	"os"
	"sync"

	"mirror/internal/regular"
)

// File is a log file that can be opened again after a log rotation has renamed it. It is safe for concurrent use.
type File struct {
	name string

	mu sync.Mutex // guards what follows
	f  *os.File
}

// OpenFile opens a log file for appending, or makes it. A name of what is no file is an error.
func OpenFile(name string) (*File, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	return &File{name: name, f: f}, nil
}

func open(name string) (*os.File, error) {
	return regular.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
}

// Write appends a line.
func (f *File) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.f.Write(line)
}

// Reopen opens the file by its name again. After an error the file that was open stays in use.
func (f *File) Reopen() error {
	next, err := open(f.name)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.f
	f.f = next
	return old.Close()
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.f.Close()
}
