package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"time"
)

// ErrLost is wrapped by what the file system of a release gives for a file that no place holds any more. The release
// was not changed after a scan.
var ErrLost = errors.New("no target that was asked has this file of the release as it was")

// ErrChanged is what reading a release's file gives when the bytes are not, or are no
// longer, those of the manifest.
var ErrChanged = errors.New("the file changed while it was published (hint: publish when the build has ended)")

// errUnreadable is what opening a file of a release gives of which only the manifest is known.
var errUnreadable = errors.New("the bytes of the release are not at hand")

// Release is one state of a site, ready to be published: its manifest and where its
// bytes are. Scan makes one.
type Release struct {
	Manifest  Manifest
	Published time.Time // told by the beacon; set when a publish begins
	// BeaconPath is where the beacon goes live, as a manifest path; "" for no beacon.
	BeaconPath string
	// Sequence is told by the beacon: a release that went live later has a higher one. 0 where it is
	// not known yet.
	Sequence int64
	// Redirects are the files that stand for redirects: where they lead, a path of the site with a leading slash or
	// a URL, by path. It is no part of the ID.
	Redirects map[string]string
	// Rollback says that the release was live before, and goes live again in place of a newer one. The
	// beacon tells it.
	Rollback bool
	// PublishManifest says that the manifest goes live too, at SumsPath.
	PublishManifest bool

	id    ID
	fsys  fs.FS
	bytes int64 // of the site, where Manifest says how a place stores it; else 0

	original Manifest // of the site, where Manifest says how a place stores it; else nil
}

// NewRelease returns the release with the given files, whose bytes are in fsys.
func NewRelease(m Manifest, fsys fs.FS, beaconPath string, published time.Time) *Release {
	return &Release{Manifest: m, Published: published, BeaconPath: beaconPath, id: m.ID(), fsys: fsys}
}

// ID returns the manifest's ID.
func (r *Release) ID() ID { return r.id }

// Readable reports whether the release's bytes are at hand, and not its manifest alone.
func (r *Release) Readable() bool { return r.fsys != nil }

// Open opens a file of the release. Reading it to its end gives ErrChanged in place of
// io.EOF when the bytes are not the manifest's.
func (r *Release) Open(f File) (io.ReadSeekCloser, error) {
	return r.OpenContext(context.Background(), f)
}

// OpenContext is Open for a file that may be large: once ctx has ended, reading gives its cause.
func (r *Release) OpenContext(ctx context.Context, f File) (io.ReadSeekCloser, error) {
	if !r.Readable() {
		return nil, fmt.Errorf("%s: %w", f.Path, errUnreadable)
	}
	c := &checkedReader{ctx: ctx, fsys: r.fsys, file: f}
	if err := c.reopen(); err != nil {
		return nil, err
	}
	return c, nil
}

// ReadFile returns a file's bytes, or ErrChanged.
func (r *Release) ReadFile(f File) ([]byte, error) {
	rc, err := r.Open(f)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	buf := bytes.NewBuffer(make([]byte, 0, f.Size+bytes.MinRead))
	if _, err := buf.ReadFrom(rc); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// checkedReader reads a file and compares what it read with the manifest at the end.
// It can be rewound, as an upload that is tried again needs.
type checkedReader struct {
	ctx    context.Context
	fsys   fs.FS
	file   File
	r      fs.File
	hash   hash.Hash
	offset int64
}

func (c *checkedReader) reopen() error {
	r, err := c.fsys.Open(c.file.Path)
	if err != nil {
		if errors.Is(err, ErrLost) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	if c.r != nil {
		c.r.Close()
	}
	c.r, c.hash, c.offset = r, sha256.New(), 0
	return nil
}

// Read gives ErrChanged in place of io.EOF where the bytes are not those of the manifest.
func (c *checkedReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	n, err := c.r.Read(p)
	c.hash.Write(p[:n])
	c.offset += int64(n)
	if c.offset > c.file.Size || errors.Is(err, io.EOF) && !c.matches() {
		return 0, fmt.Errorf("%q: %w", c.file.Path, ErrChanged)
	}
	return n, err
}

func (c *checkedReader) matches() bool {
	return c.offset == c.file.Size && Digest(c.hash.Sum(nil)) == c.file.Digest
}

// Seek moves to the start, or tells where the end is; the AWS SDK needs no more to
// measure a body and to send it again.
func (c *checkedReader) Seek(offset int64, whence int) (int64, error) {
	switch {
	case whence == io.SeekStart && offset == 0:
		return 0, c.reopen()
	case whence == io.SeekCurrent && offset == 0:
		return c.offset, nil
	case whence == io.SeekEnd && offset == 0:
		return c.file.Size, nil
	}
	return 0, fmt.Errorf("%s: seek to %d: only a rewind is possible", c.file.Path, offset)
}

// Close closes the file.
func (c *checkedReader) Close() error { return c.r.Close() }
