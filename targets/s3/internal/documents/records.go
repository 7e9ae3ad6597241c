package documents

import (
	"context"

	"mirror/targets/s3/internal/verified"
)

// LoadRecords reads the records that a state names. One that is gone or damaged costs
// only that its objects are read again.
func (d *Store) LoadRecords(ctx context.Context, paths []string) ([]verified.Record, verified.FactSet) {
	all, known := make([]verified.Record, 0, len(paths)), verified.FactSet{}
	for _, path := range paths {
		list, err := byDigest(ctx, d, path, verified.DecodeFacts)
		if err != nil {
			d.log.Warn("record is not readable; objects are read again", "path", path, "err", err)
			continue
		}
		for _, f := range *list {
			known[f] = struct{}{}
		}
		all = append(all, verified.Record{Path: path, Alive: *list})
	}
	return all, known
}
