// Package multipart sends large files in parts. It writes down in the bucket which upload a file goes to, so that a later
// process continues with the parts that the service confirms, and ends the uploads that are not continued.
package multipart

import (
	"context"
	"crypto/md5" //nolint:gosec // what services name a part by
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
)

// PartSize is the size of the parts in bytes, and buffers how many are held in memory at once, of all files together.
const (
	PartSize = 8 << 20
	buffers  = 4
)

// Uploader sends large files. It is safe for concurrent use.
type Uploader struct {
	bucket *bucket.Bucket
	folder string // of the notes, with a slash at its end
	owner  string
	part   int64
	free   chan []byte // nil for a buffer that is not made yet
}

// Note is what is written down of an upload.
type Note struct {
	Version   int         `json:"version"`
	Path      string      `json:"path"`
	Digest    site.Digest `json:"digest"` // of the whole file
	Upload    string      `json:"upload"`
	Part      int64       `json:"part"`       // size of the parts in bytes
	As        string      `json:"attributes"` // a digest of how the object is to be stored
	Checksums bool        `json:"checksums"`
	Owner     string      `json:"owner"`
}

const (
	version = 1
	maxNote = 64 << 10 // bytes
)

// New returns an uploader of a publisher that keeps its notes in a folder of the bucket, in parts of a size.
func New(b *bucket.Bucket, folder, owner string, part int64) *Uploader {
	u := &Uploader{bucket: b, folder: folder, owner: owner, part: part, free: make(chan []byte, buffers)}
	for range buffers {
		u.free <- nil
	}
	return u
}

func (u *Uploader) notePath(path string) string {
	sum := sha256.Sum256([]byte(path))
	return u.folder + hex.EncodeToString(sum[:16])
}

// Put sends a file of a release to a path, and leaves out the parts that an earlier call has sent.
func (u *Uploader) Put(ctx context.Context, path string, rel *site.Release, f site.File, a bucket.Attributes, checksums bool) (bucket.Receipt, error) {
	want := Note{Version: version, Path: path, Digest: f.Digest, Part: u.part, As: digestOf(a), Checksums: checksums, Owner: u.owner}
	n, done, err := u.begin(ctx, want, a)
	if err != nil {
		return bucket.Receipt{}, err
	}
	parts, err := u.send(ctx, n, done, rel, f)
	if err != nil {
		return bucket.Receipt{}, err
	}
	made, err := u.bucket.EndParts(ctx, path, n.Upload, parts, checksums)
	if err == nil {
		_ = u.bucket.RemoveOne(ctx, u.notePath(path)) // a note of an upload that has ended does no harm
	}
	return made, err
}

// begin returns the upload to send to, and the parts that it has.
func (u *Uploader) begin(ctx context.Context, want Note, a bucket.Attributes) (Note, map[int32]bucket.Part, error) {
	n, err := u.read(ctx, u.notePath(want.Path))
	if err != nil {
		return n, nil, err
	}
	if n.Upload != "" {
		id, owner := n.Upload, n.Owner
		n.Upload, n.Owner = "", want.Owner
		if n == want {
			parts, err := u.bucket.Parts(ctx, n.Path, id)
			if err == nil {
				n.Upload, n.Owner = id, owner
				return n, byNumber(parts), nil
			}
			if !bucket.IsMissing(err) && bucket.Status(err) != http.StatusForbidden {
				return n, nil, err
			}
		}
		if err := u.bucket.AbortParts(ctx, n.Path, id); err != nil && bucket.Status(err) != http.StatusForbidden {
			return n, nil, err
		}
	}
	if want.Upload, err = u.bucket.BeginParts(ctx, want.Path, a, want.Checksums); err != nil {
		return n, nil, err
	}
	text, err := json.Marshal(want)
	if err == nil {
		_, err = u.bucket.Put(ctx, u.notePath(want.Path), text, bucket.Staged, bucket.Condition{})
	}
	return want, nil, err
}

// read returns a note, the zero Note where there is none that this version wrote.
func (u *Uploader) read(ctx context.Context, at string) (n Note, err error) {
	text, err := u.bucket.ReadUpTo(ctx, at, maxNote)
	if bucket.IsMissing(err) {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	if json.Unmarshal(text, &n) != nil || n.Version != version || u.notePath(n.Path) != at {
		return Note{}, nil
	}
	return n, nil
}

func byNumber(parts []bucket.Part) map[int32]bucket.Part {
	all := make(map[int32]bucket.Part, len(parts))
	for _, p := range parts {
		all[p.Number] = p
	}
	return all
}

func digestOf(a bucket.Attributes) string {
	text, _ := json.Marshal(a) // strings
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// send reads the file once and sends the parts that the service does not have.
func (u *Uploader) send(ctx context.Context, n Note, done map[int32]bucket.Part, rel *site.Release, f site.File) ([]bucket.Part, error) {
	body, err := rel.OpenContext(ctx, f)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	parts := make([]bucket.Part, (f.Size+n.Part-1)/n.Part)
	if len(parts) > bucket.MaxParts {
		return nil, fmt.Errorf("%d parts are more than %d", len(parts), bucket.MaxParts)
	}
	g, gctx := errgroup.WithContext(ctx)
	readErr := u.sendEach(gctx, g, n, done, body, f.Size, parts)
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return parts, readErr
}

// sendEach takes a buffer for each part. What was read is that of the manifest only when the last read says so.
func (u *Uploader) sendEach(ctx context.Context, g *errgroup.Group, n Note, done map[int32]bucket.Part, body io.Reader, size int64, parts []bucket.Part) error {
	for i := range parts {
		buf, err := u.take(ctx)
		if err != nil {
			return err
		}
		data := buf[:min(n.Part, size-int64(i)*n.Part)]
		if _, err := io.ReadFull(body, data); err != nil {
			u.free <- buf
			return err
		}
		number, d := int32(i+1), site.Digest(sha256.Sum256(data))
		if has, ok := done[number]; ok && isOf(has, data, d) {
			parts[i] = has
			u.free <- buf
			continue
		}
		g.Go(func() (err error) {
			defer func() { u.free <- buf }()
			parts[i], err = u.bucket.PutPart(ctx, n.Path, n.Upload, number, data, d, n.Checksums)
			return err
		})
	}
	if _, err := io.ReadFull(body, make([]byte, 1)); !errors.Is(err, io.EOF) {
		if err == nil {
			err = fmt.Errorf("the file has grown: %w", site.ErrChanged)
		}
		return err
	}
	return nil
}

// take waits for a buffer.
func (u *Uploader) take(ctx context.Context) ([]byte, error) {
	select {
	case buf := <-u.free:
		if buf == nil {
			buf = make([]byte, u.part)
		}
		return buf, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// isOf reports whether the service has stored just these bytes as a part, by the checksum or else by the ETag.
func isOf(p bucket.Part, data []byte, d site.Digest) bool {
	if p.Size != int64(len(data)) {
		return false
	}
	if p.SHA256 != "" {
		return p.SHA256 == base64.StdEncoding.EncodeToString(d[:])
	}
	sum := md5.Sum(data) //nolint:gosec // as above
	return strings.Trim(p.ETag, `"`) == hex.EncodeToString(sum[:])
}

// End gives up the upload of a note, and removes the note, where the upload is not to be continued.
func (u *Uploader) End(ctx context.Context, at string, over func(Note) bool) error {
	n, err := u.read(ctx, at)
	if err != nil || n.Upload != "" && !over(n) {
		return err
	}
	if n.Upload != "" {
		if err := u.bucket.AbortParts(ctx, n.Path, n.Upload); err != nil {
			return err
		}
	}
	return u.bucket.RemoveOne(ctx, at)
}
