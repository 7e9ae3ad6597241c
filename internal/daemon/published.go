package daemon

import (
	"context"
	"encoding/json"
	"time"
)

// publishedFolder is what the history keeps of a site's folder that all targets hold: after a
// restart it is not published again.
type publishedFolder struct {
	Print  string // see folder.print
	Config string // of the Setup with which it was published
}

// publishing forgets what was published: a publish that is killed is done again at the next start.
func (d *Daemon) publishing(ctx context.Context, site string) { d.published(ctx, site, "") }

func publishedName(site string) string { return "published/" + site }

// published remembers what a site's folder was like when it was published.
func (d *Daemon) published(ctx context.Context, site, print string) {
	d.mu.Lock()
	d.prints[site] = print
	kept := publishedFolder{print, d.setup.Config}
	d.mu.Unlock()
	text, err := json.Marshal(kept)
	if err == nil {
		err = d.options.History.SaveState(ctx, publishedName(site), time.Now(), text)
	}
	if err != nil {
		d.options.Log.Warn("cannot record what was published: it is published again at the next start", "err", err)
	}
}

// loadPublished reads what was published before the restart. With another config it says nothing:
// targets or headers may be others.
func (d *Daemon) loadPublished(ctx context.Context) {
	setup := d.current()
	if !watching(setup) || setup.Config == "" || setup.Broken {
		return
	}
	text, _, err := d.options.History.State(ctx, publishedName(setup.Site))
	var kept publishedFolder
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		d.options.Log.Warn("cannot read what was published before: the site is published", "err", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if kept.Config == setup.Config && kept.Print != "" {
		d.prints[setup.Site] = kept.Print
	}
}
