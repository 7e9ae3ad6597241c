package s3

import "time"

// SetLease shortens the lease, and so the time between renewals.
func (t *Target) SetLease(d time.Duration) { t.lease = d }

// SetPage makes listings come in pages of n keys.
func (t *Target) SetPage(n int32) { t.page = n }
