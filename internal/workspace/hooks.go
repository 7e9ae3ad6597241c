package workspace

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirror/internal/command"
	"mirror/internal/publish"
)

// afterPublish runs the command that the config names for the end of a publish or rollback. That it failed is a
// warning of the report: the outcome is known. The report is nil where there is none. A release that was only staged is not
// announced.
func (w *Workspace) afterPublish(ctx context.Context, r *publish.Report) {
	hook := w.Config.Hooks.AfterPublish
	if len(hook) == 0 || r == nil || r.Outcome == publish.Staged {
		return
	}
	if ctx.Err() != nil {
		r.Warn("hooks.after_publish was not run: interrupted")
		return
	}
	if err := w.runHook(ctx, hook, r); err != nil {
		r.Warn("hooks.after_publish (%s): %v", hook[0], err)
	}
}

func (w *Workspace) runHook(ctx context.Context, hook []string, r *publish.Report) error {
	changed, err := writeChanged(r)
	if err != nil {
		return err
	}
	defer os.Remove(changed)
	limit := w.Config.Hooks.Timeout
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took longer than %s (hooks.timeout)", limit.Round(time.Millisecond)))
	defer cancel()
	cmd := command.New(ctx, hook[0], hook[1:]...)
	cmd.Dir = filepath.Dir(w.Config.File)
	cmd.Stdout, cmd.Stderr = w.options.Output, w.options.Output
	cmd.Env = append(os.Environ(),
		"MIRROR_RELEASE="+string(r.Release), "MIRROR_PREVIOUS="+string(r.Previous), "MIRROR_OUTCOME="+string(r.Outcome),
		"MIRROR_ROLLBACK="+strconv.FormatBool(r.Rollback), "MIRROR_CHANGED="+changed)
	if err := command.Run(ctx, cmd); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	return nil
}

// oneLine writes a path in one line, as sha256sum does.
var oneLine = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)

// writeChanged writes the paths that the publish adds, changes or deletes on any target to a file, one a line.
func writeChanged(r *publish.Report) (path string, err error) {
	all := map[string]bool{}
	for _, t := range r.Targets {
		c := t.Plan.Changes
		for _, path := range slices.Concat(c.Add, c.Change, c.Delete) {
			all[path] = true
		}
	}
	file, err := os.CreateTemp("", "mirror-changed-*.txt")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // what is left is a small file
		}
	}()
	out := bufio.NewWriter(file)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		_, _ = out.WriteString(oneLine.Replace(path) + "\n") // Flush returns its error
	}
	if err = out.Flush(); err != nil {
		file.Close()
		return "", err
	}
	return file.Name(), file.Close()
}
