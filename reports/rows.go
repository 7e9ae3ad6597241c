package reports

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"mirror/diff"
	"mirror/site"
)

// foldFrom is how many differences of one kind in one folder are shown as one row.
const foldFrom = 10

// row is one line of a table of differences: one, or all of one kind in a folder.
type row struct {
	Drift
	more int // differences beyond the first
}

// differences is how many the row stands for.
func (r row) differences() int { return r.pages() + r.more }

// path is the path of the one difference, or a glob for all of the row.
func (r row) path() string {
	if r.more == 0 {
		return r.shown()
	}
	return folder(r.Path) + "/**"
}

// severity orders differences, the worst first. A path that no release ever had may be an
// injected page, so it counts like altered bytes.
func (d Drift) severity() int {
	if d.Kind == diff.Extra && d.Release == site.None && !d.Earlier {
		return diff.Altered.Info().Severity
	}
	return d.Kind.Info().Severity
}

// tableRows are at most limit rows of the differences, the worst first. Unless all are wanted,
// those of one kind in one folder are folded into one row, and each origin has its share of the
// rows. hidden is how many differences no row stands for.
func tableRows(all []Drift, limit int, unfolded bool) (rows []row, hidden int) {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Drift) int { return cmp.Compare(b.severity(), a.severity()) })
	if unfolded {
		for _, d := range sorted {
			rows = append(rows, row{Drift: d})
		}
		return rows, 0
	}
	rows = shared(folded(sorted), limit)
	hidden = pagesOf(all)
	for _, r := range rows {
		hidden -= r.differences()
	}
	return rows, hidden
}

// folded joins the differences of one origin, kind, release and folder where they are many.
func folded(sorted []Drift) []row {
	type alike struct {
		origin, folder string
		kind           diff.Kind
		release        site.ID
		severity       int
		tolerated      string
	}
	of := func(d Drift) alike {
		return alike{d.Origin, folder(d.Path), d.Kind, d.Release, d.severity(), d.Tolerated}
	}
	count := map[alike]int{}
	for _, d := range sorted {
		count[of(d)]++
	}
	var rows []row
	done := map[alike]bool{}
	for _, d := range sorted {
		g := of(d)
		switch n := count[g]; {
		case g.folder == "" || n < foldFrom:
			rows = append(rows, row{Drift: d})
		case !done[g]:
			done[g] = true
			rows = append(rows, row{Drift: d, more: n - 1})
		}
	}
	return rows
}

// folder is the first folder of a path, "" for a path in the root and for "*".
func folder(p string) string {
	first, _, ok := strings.Cut(path.Clean(p), "/")
	if !ok {
		return ""
	}
	return first
}

// shared keeps at most limit rows. Each origin gets as many as the others, so that one that
// differs everywhere does not hide what is wrong at another.
func shared(rows []row, limit int) []row {
	if len(rows) <= limit {
		return rows
	}
	var origins []string
	left, quota := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if left[r.Origin] == 0 {
			origins = append(origins, r.Origin)
		}
		left[r.Origin]++
	}
	for given := 0; given < limit; {
		for _, o := range origins {
			if given < limit && left[o] > 0 {
				left[o]--
				quota[o]++
				given++
			}
		}
	}
	return slices.DeleteFunc(rows, func(r row) bool {
		quota[r.Origin]--
		return quota[r.Origin] < 0
	})
}
