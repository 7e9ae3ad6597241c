package s3

import "context"

// loadRecords reads the records that a state names. One that is gone or damaged costs
// only that its objects are read again.
func (d *documents) loadRecords(ctx context.Context, paths []string) ([]record, facts) {
	all, known := make([]record, 0, len(paths)), facts{}
	for _, path := range paths {
		list, err := byDigest(ctx, d, path, decodeFacts)
		if err != nil {
			d.log.Warn("record is not readable; objects are read again", "path", path, "err", err)
			continue
		}
		for _, f := range *list {
			known[f] = struct{}{}
		}
		all = append(all, record{path: path, alive: *list})
	}
	return all, known
}
