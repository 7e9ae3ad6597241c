package output

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

// CSVLog writes every answer of a watch to a CSV file; none where there is no file.
type CSVLog struct {
	mu    sync.Mutex
	file  *os.File
	clean *secrets.Writer // to the file
	csv   *csv.Writer     // to clean
}

// OpenCSVLog makes the file; "" for none.
func OpenCSVLog(name string, known *secrets.Scrubber) (*CSVLog, error) {
	if name == "" {
		return &CSVLog{}, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("--csv: %w", err)
	}
	clean := known.Writer(file)
	a := &CSVLog{file: file, clean: clean, csv: csv.NewWriter(clean)}
	return a, a.csv.Write([]string{"origin", "path", "asked", "answered", "status", "digest", "sight", "error"})
}

// Write adds an answer.
func (a *CSVLog) Write(origin string, o site.Observation, side diff.Side) {
	if a.csv == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = a.csv.Write([]string{ // Close tells what went wrong
		origin, o.Path, o.Asked.Format(time.RFC3339Nano), o.Answered.Format(time.RFC3339Nano),
		strconv.Itoa(o.Status), o.Digest.String(), side.String(), errorText(o.Err),
	})
}

// Close writes what is left.
func (a *CSVLog) Close() error {
	if a.csv == nil {
		return nil
	}
	a.csv.Flush()
	if err := errors.Join(a.csv.Error(), a.clean.Flush(), a.file.Close()); err != nil {
		return fmt.Errorf("--csv: %w", err)
	}
	return nil
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
