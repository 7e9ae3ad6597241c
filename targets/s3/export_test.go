package s3

import (
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/multipart"
)

// SetLease shortens the lease, and so the time between renewals.
func (t *Target) SetLease(d time.Duration) { t.lease = d }

// Silence ends the renewals of a reservation, and no more.
func Silence(r targets.Reservation) { r.(*reservation).keeper.Stop() }

// SetRecording shortens the time that a commit takes for its records.
func (t *Target) SetRecording(d time.Duration) { t.recording = d }

// SetPage makes listings come in pages of n keys.
func (t *Target) SetPage(n int32) { t.bucket.Page = n }

// SetParts has files of more than one bytes be sent in parts of a size.
func (t *Target) SetParts(one, part int64) {
	t.uploads = multipart.New(t.bucket, documents.UploadsFolder, t.owner, part)
	t.bucket.InOne, t.bucket.InParts = one, t.uploads.Put
}

// SetParts is that of Target.
func (p Pointed) SetParts(one, part int64) { p.t.SetParts(one, part) }

// EmptyRelease is a document that says of a release that it has no files.
func EmptyRelease(id site.ID) ([]byte, error) {
	return documents.EncodeDocument(&documents.Snapshot{Version: documents.Version, Release: id})
}
