package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"mirror/internal/publish"
	"mirror/reports"
	"mirror/site"
	"mirror/targets"
)

// planDocument is the report of a plan, without the contents' diffs.
func (w *Workspace) planDocument(r *publish.Report, dests []targets.Destination) reports.Plan {
	p := reports.Plan{Schema: reports.PlanSchema, Release: r.Release, Targets: []reports.PlanTarget{}, Order: []reports.PlanStep{}, Config: w.fingerprint()}
	for _, t := range r.Targets {
		row := reports.PlanTarget{
			Name: t.Name, Type: t.Kind, From: t.Plan.Live.Release, Revision: t.Plan.Live.Revision, Place: placeID(dests, t.Name), Add: list(t.Plan.Changes.Add), Change: list(t.Plan.Changes.Change),
			Delete: list(t.Plan.Changes.Delete), Same: t.Plan.Changes.Same, Bytes: t.Plan.Bytes, Error: text(t.Err),
			Foreign: list(t.Plan.Foreign), Kept: list(t.Plan.Kept), Metadata: []reports.PlanMetadata{},
		}
		for _, path := range t.Plan.Changes.Metadata {
			row.Metadata = append(row.Metadata, reports.PlanMetadata{Path: path, Detail: t.Plan.Metadata[path]})
		}
		p.Targets = append(p.Targets, row)
	}
	for _, s := range r.Schedule {
		p.Order = append(p.Order, reports.PlanStep{Name: s.Name, After: reports.Millis(s.After), Barrier: s.Barrier, Reason: s.Reason})
	}
	return p
}

// contentOf returns the digests of the files that a plan adds or changes.
func contentOf(m site.Manifest, p reports.Plan) map[string]string {
	all := map[string]string{}
	for _, t := range p.Targets {
		for _, paths := range [][]string{t.Add, t.Change} {
			for _, path := range paths {
				if f, ok := m.Find(path); ok {
					all[path] = f.Digest.String()
				}
			}
		}
	}
	return all
}

// placeID tells the places of targets apart without naming them: a plan may be shown in public.
func placeID(dests []targets.Destination, name string) string {
	i := slices.IndexFunc(dests, func(d targets.Destination) bool { return d.Name == name })
	if i < 0 || dests[i].Place == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(dests[i].Place))
	return hex.EncodeToString(sum[:])
}

// list makes an empty list of none, which JSON shows as [].
func list(paths []string) []string {
	if paths == nil {
		return []string{}
	}
	return paths
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
