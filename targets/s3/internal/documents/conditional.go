package documents

import (
	"context"

	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/provider"
)

// honoursConditions finds out, once, whether the service refuses a conditional write
// whose condition does not hold. In a place that was written to before, what an earlier process found out
// counts.
func (d *Store) honoursConditions(ctx context.Context, before bool) (bool, error) {
	d.mu.Lock()
	known := d.conditional
	d.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	if before && d.bucket.Service.Found(provider.Conditions) {
		return true, nil
	}
	honoured := true
	for _, c := range []bucket.Condition{{}, {IfNoneMatch: true}, {IfMatch: `"00000000000000000000000000000000"`}} {
		_, err := d.bucket.Put(ctx, ProbePath, []byte("mirror\n"), bucket.Staged, c)
		unconditional := c == bucket.Condition{}
		switch {
		case err == nil:
			honoured = honoured && unconditional
		case !unconditional && bucket.IsRefusal(err):
			honoured = false
		case unconditional || !bucket.IsUnmet(err):
			return false, err
		}
		if d.bucket.Service.Lacks(provider.Conditions) {
			honoured = false
			break
		}
	}
	if honoured {
		d.bucket.Service.Learn(provider.Conditions, provider.Yes, nil)
	} else {
		d.log.Warn("the service has no conditional writes: two publishers at the very same moment would not notice each other")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conditional = &honoured
	return honoured, nil
}

// ConditionalAt is Conditional beside a state: where it was stored before, what an earlier process found out counts.
func (d *Store) ConditionalAt(ctx context.Context, h StateDocument) (bool, error) {
	return d.honoursConditions(ctx, h.raw != nil)
}

// Conditional reports whether the service honours conditional writes, which it is asked once.
func (d *Store) Conditional(ctx context.Context) (bool, error) {
	return d.honoursConditions(ctx, false)
}
