package workspace

import (
	"fmt"
	"strings"

	"mirror/diff"
	"mirror/internal/daemon"
	"mirror/internal/publish"
)

// disagreement says which origins do not serve the release that all targets hold.
func disagreement(r *publish.Report) error {
	var origins []string
	if r.Verdict != nil {
		for _, o := range r.Verdict.Origins {
			if o.State() != diff.Agrees {
				origins = append(origins, o.Name+": "+string(o.State()))
			}
		}
	}
	if len(origins) == 0 {
		return daemon.ErrDisagree
	}
	return fmt.Errorf("%w: %s", daemon.ErrDisagree, strings.Join(origins, ", "))
}
