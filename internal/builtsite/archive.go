package builtsite

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"

	"mirror/internal/regular"
	"mirror/site"
)

// maxWindow bounds what a decoder of zstd has to remember: as much as `zstd --long=27` asks for.
const maxWindow = 128 << 20

// maxDirectory bounds the bytes of a zip's list of entries.
const maxDirectory = 256 << 20

// openArchive reads an archive, whose kind its first bytes tell.
func openArchive(ctx context.Context, name string, o Options) (_ *Site, err error) {
	f, err := regular.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the site: %w", err)
	}
	defer f.Close()
	read := &counted{r: f}
	s, err := newFiles(ctx, o.Limits, func() int64 { return read.n })
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.spool.Close() // a temporary file: nothing is lost
		}
	}()
	if err := s.archive(f, read); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	opened, err := s.release(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return opened, nil
}

// counted counts what was read.
type counted struct {
	r io.Reader
	n int64
}

// Read reads on.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// archive takes in the entries of an archive.
func (s *files) archive(f *os.File, read *counted) error {
	in := bufio.NewReaderSize(read, 64<<10)
	start, err := in.Peek(262)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		return s.tar(z)
	case bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return fmt.Errorf("zstd: %w", err)
		}
		defer z.Close()
		return s.tar(z)
	case bytes.HasPrefix(start, []byte("PK")):
		return s.zip(f)
	case len(start) == 262 && (string(start[257:]) == "ustar" || len(bytes.Trim(start, "\x00")) == 0), strings.HasSuffix(strings.ToLower(f.Name()), ".tar"):
		return s.tar(in)
	}
	return errors.New("this is no archive that can be read (hint: .tar, .tar.gz, .tar.zst or .zip, or the folder itself)")
}

// tar takes in the entries of a tar stream.
func (s *files) tar(stream io.Reader) error {
	in := &unpacked{files: s, r: stream}
	r := tar.NewReader(in)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) && in.zeros < endMarker {
			return fmt.Errorf("tar: %w: the archive ends without its end marker, so it was cut short", io.ErrUnexpectedEOF)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("tar: %w", err)
		}
		if err := s.tarEntry(h, r); err != nil {
			return err
		}
	}
}

// endMarker is how many zeros the end of an archive has at least: POSIX wants 1024, and some programs write
// half of them.
const endMarker = 512

// unpacked bounds a stream that is unpacked: headers and padding are no files, and cost time.
type unpacked struct {
	files *files
	r     io.Reader
	n     int64
	zeros int // that the stream ends with so far
}

// Read reads on.
func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.n += int64(n)
	if rest := len(bytes.TrimRight(p[:n], "\x00")); rest > 0 {
		u.zeros = n - rest
	} else {
		u.zeros = min(u.zeros+n, endMarker)
	}
	l := u.files.limits
	switch {
	case u.files.ctx.Err() != nil:
		return 0, u.files.ctx.Err() // with bytes, io.ReadFull would drop the error
	case u.n > l.Bytes+int64(l.Files)*2048 || u.n > l.Free && u.n/l.Ratio > u.files.packed():
		return 0, fmt.Errorf("%w: it is more than %d times larger than the archive (a decompression bomb?)", site.ErrRefused, l.Ratio)
	}
	return n, err
}

func (s *files) tarEntry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := s.name(h.Name)
	if err != nil || name == "" {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return nil
	case tar.TypeReg, tar.TypeGNUSparse:
		return s.add(name, h.Size, content)
	case tar.TypeSymlink:
		return s.link(name, h.Linkname)
	case tar.TypeLink:
		target, err := s.name(h.Linkname)
		if err != nil {
			return err
		}
		return s.hardLink(name, target)
	}
	return refused(name, "it is a device, a pipe or another special file", "remove it or exclude it")
}

// zip takes in the entries of a zip file.
func (s *files) zip(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	directory := &limitedAt{r: f, left: maxDirectory}
	z, err := zip.NewReader(directory, info.Size())
	if errors.Is(err, errDirectory) {
		return err
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // each name is looked at below
		return fmt.Errorf("zip: %w", err)
	}
	directory.unlimited = true
	s.packed = info.Size
	for _, entry := range z.File {
		if err := s.zipEntry(entry); err != nil {
			return err
		}
	}
	return nil
}

var errDirectory = fmt.Errorf("%w: the list of its entries is larger than %d bytes", site.ErrRefused, maxDirectory)

// limitedAt bounds what is read while a zip's list of entries is.
type limitedAt struct {
	r         io.ReaderAt
	left      int64
	unlimited bool
}

// ReadAt gives errDirectory once too much was read.
func (l *limitedAt) ReadAt(p []byte, off int64) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 && !l.unlimited {
		return 0, errDirectory
	}
	return l.r.ReadAt(p, off)
}

func (s *files) zipEntry(entry *zip.File) error {
	if strings.Contains(entry.Name, `\`) {
		return refused(entry.Name, "the name has backslashes", "pack the site with a program that writes forward slashes (zip format, section 4.4.17)")
	}
	name, err := s.name(entry.Name)
	if err != nil || name == "" {
		return err
	}
	mode := entry.Mode()
	switch {
	case entry.Flags&1 != 0:
		return refused(name, "it is encrypted", "pack the site without a password")
	case mode.IsDir():
		return nil
	case mode&fs.ModeSymlink == 0 && !mode.IsRegular():
		return refused(name, "it is a device, a pipe or another special file", "remove it or exclude it")
	}
	content, err := entry.Open()
	if err != nil {
		return fmt.Errorf("zip: %q: %w", name, err)
	}
	defer content.Close()
	if mode&fs.ModeSymlink != 0 {
		target, err := io.ReadAll(io.LimitReader(content, maxName))
		if err != nil {
			return fmt.Errorf("zip: %q: %w", name, err)
		}
		return s.link(name, string(target))
	}
	return s.add(name, int64(min(entry.UncompressedSize64, 1<<62)), content)
}
