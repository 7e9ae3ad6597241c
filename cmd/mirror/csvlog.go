package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/secrets"
	"mirror/site"
)

// csvLog writes every answer of a watch to a CSV file; none where there is no file.
type csvLog struct {
	mu    sync.Mutex
	file  *os.File
	clean *secrets.Writer // to the file
	csv   *csv.Writer     // to clean
}

// openCSVLog makes the file; "" for none.
func openCSVLog(name string, known *secrets.Scrubber) (*csvLog, error) {
	if name == "" {
		return &csvLog{}, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("--csv: %w", err)
	}
	clean := known.Writer(file)
	a := &csvLog{file: file, clean: clean, csv: csv.NewWriter(clean)}
	return a, a.csv.Write([]string{"origin", "path", "asked", "answered", "status", "digest", "side", "error"})
}

func (a *csvLog) write(origin string, o site.Observation, side diff.Side) {
	if a.csv == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = a.csv.Write([]string{ // Close tells what went wrong
		origin, o.Path, o.Asked.Format(time.RFC3339Nano), o.Answered.Format(time.RFC3339Nano),
		strconv.Itoa(o.Status), o.Digest.String(), side.String(), text(o.Err),
	})
}

// Close writes what is left.
func (a *csvLog) Close() error {
	if a.csv == nil {
		return nil
	}
	a.csv.Flush()
	if err := errors.Join(a.csv.Error(), a.clean.Flush(), a.file.Close()); err != nil {
		return fmt.Errorf("--csv: %w", err)
	}
	return nil
}
