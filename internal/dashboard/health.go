package dashboard

import (
	"fmt"
	"net/http"
	"strings"

	"mirror/reports/html"
)

// healthz answers as long as the process does.
func (d *Dashboard) healthz(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "alive\n")
}

// readyz is the sign of a dead man: it fails when work that should have been done was not, or
// when what is shown cannot be read.
func (d *Dashboard) readyz(w http.ResponseWriter, r *http.Request) {
	var reasons []string
	for _, job := range d.options.Overdue() {
		reasons = append(reasons, fmt.Sprintf("job %s is overdue", html.Show(job)))
	}
	for _, job := range d.options.Hanging() {
		reasons = append(reasons, fmt.Sprintf("job %s hangs: a run of it did not end within its timeout", html.Show(job)))
	}
	if _, err := d.reader.LastCheck(r.Context()); err != nil {
		d.options.Log.Error("the history could not be read", "path", r.URL.Path, "err", err)
		reasons = append(reasons, "the history cannot be read")
	}
	if len(reasons) == 0 {
		plain(w, http.StatusOK, strings.TrimRight("ready\n"+d.standing()+html.Show(d.options.Notice()), "\n")+"\n")
		return
	}
	plain(w, http.StatusServiceUnavailable, strings.Join(reasons, "\n")+"\n")
}

// standing says which daemon of the group leads, in a line; "" without a group.
func (d *Dashboard) standing() string {
	if d.options.Group == nil {
		return ""
	}
	g := d.options.Group()
	switch {
	case g.Leads:
		return fmt.Sprintf("this daemon leads the group %s\n", html.Show(g.Name))
	case g.Leader == "":
		return fmt.Sprintf("this daemon is on standby in the group %s\n", html.Show(g.Name))
	}
	return fmt.Sprintf("this daemon is on standby in the group %s, which %s leads\n", html.Show(g.Name), html.Show(g.Leader))
}
