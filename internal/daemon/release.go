package daemon

import "context"

// release puts a staged release live, and remembers how that went.
func (r *run) release(ctx context.Context) error {
	row, err := r.work.Release(ctx, r.job.Release, &r.log)
	if row.Outcome != "" {
		r.recordPublish(ctx, row, err)
	}
	return err
}
