package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mirror/internal/atomicfile"
	"mirror/reports"
	"mirror/reports/formats"
)

// reportFolder is where the daemon's reports are, in the state folder.
const reportFolder = "reports"

// writeReport writes the report of a job over a period, in each form that a file is kept in,
// and drops the oldest.
func (w *Workspace) writeReport(ctx context.Context, job string, since, until time.Time) error {
	p, err := w.Report(ctx, since, until)
	if err != nil {
		return err
	}
	dir := filepath.Join(w.State.Dir(), reportFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	name := filepath.Join(dir, job+"_"+until.UTC().Format("2006-01-02T150405Z"))
	for _, f := range formats.Period() {
		if f.Extension == "" {
			continue
		}
		var text bytes.Buffer
		if err := f.Write(p, &text, reports.Style{}); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if err := atomicfile.WriteFile(name+f.Extension, w.options.Secrets.Bytes(text.Bytes()), 0o600); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		w.options.Events.Line("report   %s", name+f.Extension)
	}
	return dropReports(dir, job, w.Config.Daemon.KeepReports)
}

// dropReports removes all but the newest reports of a job.
func dropReports(dir, job string, keep int) error {
	entries, err := os.ReadDir(dir) // by name, and so by time
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var times []string
	files := map[string][]string{}
	for _, e := range entries {
		when, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), job+"_")
		if _, err := time.Parse("2006-01-02T150405Z", when); !ok || err != nil {
			continue // of another job, or none of ours
		}
		if !slices.Contains(times, when) {
			times = append(times, when)
		}
		files[when] = append(files[when], filepath.Join(dir, e.Name()))
	}
	var errs []error
	for _, when := range times[:max(0, len(times)-keep)] {
		for _, file := range files[when] {
			errs = append(errs, os.Remove(file))
		}
	}
	return errors.Join(errs...)
}
