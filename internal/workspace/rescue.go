package workspace

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/publish"
	"mirror/site"
	"mirror/targets"
)

// rescueLost commits the release of a verdict again at the targets whose hosts have lost its deployment: those
// whose origins still serve another release, longer after the commit than a deployment takes. Another
// publish from here ends it without effect.
func (w *Workspace) rescueLost(ctx context.Context, v *diff.Verdict) {
	if v.Agree() || v.Release == site.None {
		return
	}
	dests, err := w.Destinations(ctx)
	if err != nil {
		return // the check has told
	}
	behind := slices.DeleteFunc(slices.Clone(dests), func(d targets.Destination) bool {
		_, ok := d.Target.(targets.Rescuer)
		return !ok || !v.Behind(d.Name)
	})
	if len(behind) == 0 {
		return
	}
	journal, _, err := publish.OpenJournal(w.State.Dir())
	if err != nil {
		return // a publish has begun
	}
	defer journal.Close()
	book := w.newLagBook(dests)
	book.expect(ctx)
	for _, d := range behind {
		if note := w.rescueOne(ctx, d, v.Release, book.slowest(d.Name)); note != "" {
			v.Notes = append(v.Notes, note)
		}
	}
}

// rescueOne returns what people should know, "" for nothing.
func (w *Workspace) rescueOne(ctx context.Context, d targets.Destination, id site.ID, slowest time.Duration) string {
	after := d.Target.(targets.Rescuer).RescueAfter(slowest)
	if after <= 0 {
		return ""
	}
	err := publish.Rescue(ctx, d, targets.Swap{To: id}, after)
	if publish.NeedsNoRescue(err) {
		return ""
	}
	if err != nil {
		w.options.Warnings.Add("%s could not be committed again: %v", d.Name, err)
		return ""
	}
	return fmt.Sprintf("%s: release %s is not live %s after its commit; the same content was committed again, because the host may have lost the deployment",
		d.Name, id.Short(), after)
}
