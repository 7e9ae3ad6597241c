// Package selfbase makes the base of an image that needs nothing from a registry: mirror's own
// binary as a static server, with the shared libraries that it needs, as a layer that is built
// once and cached.
//
// The libraries are found by reading ELF files (debug/elf) and looking where the loader looks.
// ldd, and the libraries that wrap it such as u-root's pkg/ldd, run the loader instead: that
// works for this machine's architecture only, and an image may be for another one.
package selfbase

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"

	"mirror/internal/atomicfile"
	"mirror/targets/oci/internal/image"
)

// file is a file of the server's layer: where it is here, and where in the image.
type file struct {
	inImage string // absolute
	here    string
	digest  [sha256.Size]byte
}

// fileSet is all files of the server for one platform.
type fileSet struct {
	files  []file
	digest string // of the names and the bytes
}

// Binary finds the server's files and remembers their digests for as long as size and
// time of the files stay.
type Binary struct {
	configured string

	mu    sync.Mutex         // guards what follows
	known map[string]fileSet // by stamp
}

// New returns the server whose binary is at the path configured; "" is the running one.
func New(configured string) *Binary {
	return &Binary{configured: configured, known: map[string]fileSet{}}
}

// Digest returns a digest of the server's files for a platform: of their names and bytes.
func (s *Binary) Digest(p v1.Platform) (string, error) {
	files, err := s.files(p)
	return files.digest, err
}

func (s *Binary) files(p v1.Platform) (fileSet, error) {
	binary, err := s.locate(p)
	if err != nil {
		return fileSet{}, err
	}
	files, err := closure(binary)
	if err != nil {
		return fileSet{}, err
	}
	stamp, err := stampOf(files)
	if err != nil {
		return fileSet{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.known[stamp]; ok {
		return known, nil
	}
	found, err := identify(files)
	if err == nil {
		s.known[stamp] = found
	}
	return found, err
}

func stampOf(files []file) (string, error) {
	var b strings.Builder
	for _, f := range files {
		info, err := os.Stat(f.here)
		if err != nil {
			return "", fmt.Errorf("server: %w", err)
		}
		fmt.Fprintf(&b, "%s %s %d %d\n", f.inImage, f.here, info.Size(), info.ModTime().UnixNano())
	}
	return b.String(), nil
}

func identify(files []file) (fileSet, error) {
	all := sha256.New()
	for i := range files {
		d, err := digestFile(files[i].here)
		if err != nil {
			return fileSet{}, fmt.Errorf("server: %w", err)
		}
		files[i].digest = d
		fmt.Fprintf(all, "%x  %s\n", d, files[i].inImage)
	}
	return fileSet{files, hex.EncodeToString(all.Sum(nil))}, nil
}

func digestFile(name string) (d [sha256.Size]byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return d, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return d, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// Layer returns the server's layer, from the cache in the folder state where it was built
// before; "" is no cache.
func (s *Binary) Layer(p v1.Platform, state string) (*image.Blob, error) {
	files, err := s.files(p)
	if err != nil {
		return nil, err
	}
	if state == "" {
		return image.WriteBlob(image.Gzip(gzip.BestSpeed), files.write)
	}
	stem := filepath.Join(state, "self-"+files.digest)
	if b, err := openCached(stem); err == nil {
		return b, nil
	}
	if err := writeCached(stem, files.write); err != nil {
		return nil, fmt.Errorf("server's layer: %w", err)
	}
	return openCached(stem)
}

// write writes the layer as a tar stream.
func (s fileSet) write(w io.Writer) error {
	tw, epoch := tar.NewWriter(w), time.Unix(0, 0)
	dirs := map[string]bool{".": true}
	for _, f := range s.files {
		name := strings.TrimPrefix(f.inImage, "/")
		for _, dir := range newDirs(dirs, name) {
			if err := image.WriteHeader(tw, tar.TypeDir, dir+"/", image.ModeDir, 0, epoch); err != nil {
				return err
			}
		}
		if err := f.write(tw, name, epoch); err != nil {
			return fmt.Errorf("%s: %w", f.here, err)
		}
	}
	return tw.Close()
}

// newDirs returns the parents of name that are not in known, outermost first, and adds them.
func newDirs(known map[string]bool, name string) []string {
	var missing []string
	for dir := path.Dir(name); !known[dir]; dir = path.Dir(dir) {
		known[dir] = true
		missing = append(missing, dir)
	}
	slices.Reverse(missing)
	return missing
}

func (f file) write(tw *tar.Writer, name string, mtime time.Time) error {
	r, err := os.Open(f.here)
	if err != nil {
		return err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return err
	}
	if err := image.WriteHeader(tw, tar.TypeReg, name, image.ModeExec, info.Size(), mtime); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(tw, h), r); err != nil {
		return err
	}
	if [sha256.Size]byte(h.Sum(nil)) != f.digest {
		return errors.New("it changed while it was read")
	}
	return nil
}

// writeCached writes a layer to stem.layer, then what is known of it to stem.json: the
// second file tells that the first is whole.
func writeCached(stem string, fill func(w io.Writer) error) error {
	f, err := atomicfile.Create(stem+".layer", 0o600)
	if err != nil {
		return err
	}
	defer f.Cleanup()
	info, err := image.WriteLayer(f, image.Gzip(gzip.BestSpeed), fill)
	if err != nil {
		return err
	}
	if err := f.Replace(); err != nil {
		return err
	}
	text, err := json.Marshal(info)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(stem+".json", text, 0o600)
}

// openCached opens what writeCached wrote, if it is still that.
func openCached(stem string) (*image.Blob, error) {
	text, err := os.ReadFile(stem + ".json")
	if err != nil {
		return nil, err
	}
	var info image.Info
	if err := json.Unmarshal(text, &info); err != nil {
		return nil, err
	}
	d, err := digestFile(stem + ".layer")
	if err != nil {
		return nil, err
	}
	if hex.EncodeToString(d[:]) != info.Digest.Hex {
		return nil, fmt.Errorf("%s.layer was altered", stem)
	}
	return image.OpenBlob(stem+".layer", info)
}
