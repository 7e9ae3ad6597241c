package registryhost

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/internal/static"
)

// webRoot is where an image's site is when no label says it; see static.Unpack.
const webRoot = "site"

// rootOf is an image's web root, without slashes around it.
func rootOf(img v1.Image) (string, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return "", err
	}
	if label := config.Config.Labels["mirror.web_root"]; label != "" {
		return strings.Trim(path.Clean("/"+label), "/"), nil
	}
	return webRoot, nil
}

// listedImage notes the names in an image's layers while another reader reads them.
type listedImage struct {
	v1.Image
	names map[string]bool // from the image's root
}

// Layers are the image's, from the lowest up, to be read one after another.
func (l *listedImage) Layers() ([]v1.Layer, error) {
	layers, err := l.Image.Layers()
	for i, layer := range layers {
		layers[i] = &listedLayer{layer, l.names}
	}
	return layers, err
}

// sums are the digests of the files that the image's site has in the end.
func (l *listedImage) sums(site *static.Image) (map[string][sha256.Size]byte, error) {
	root, err := rootOf(l.Image)
	if err != nil {
		return nil, err
	}
	below := root + "/"
	if root == "" {
		below = ""
	}
	return sums(site, func(yield func(string) bool) {
		for name := range l.names {
			if file, ok := strings.CutPrefix(name, below); ok && !yield(file) {
				return
			}
		}
	})
}

type listedLayer struct {
	v1.Layer
	names map[string]bool
}

// Uncompressed is the layer's content. Its names are all noted when it is closed.
func (l *listedLayer) Uncompressed() (io.ReadCloser, error) {
	content, err := l.Layer.Uncompressed()
	if err != nil {
		return nil, err
	}
	seen, note := io.Pipe()
	r := &listedContent{io.TeeReader(content, note), content, note, make(chan struct{})}
	go func() {
		defer close(r.done)
		for archive := tar.NewReader(seen); ; {
			header, err := archive.Next()
			if err != nil {
				break // who reads the layer says what is wrong with it
			}
			l.names[path.Clean("/" + header.Name)[1:]] = true
		}
		_, _ = io.Copy(io.Discard, seen) // of an open pipe: it does not fail
	}()
	return r, nil
}

type listedContent struct {
	io.Reader
	content io.Closer
	note    *io.PipeWriter
	done    chan struct{}
}

// Close ends the reading.
func (c *listedContent) Close() error {
	_ = c.note.Close() // it cannot fail
	<-c.done
	return c.content.Close()
}

// sums are the digests of some files of a site. Those that are not there are left out.
func sums(site fs.FS, names iter.Seq[string]) (map[string][sha256.Size]byte, error) {
	all := map[string][sha256.Size]byte{}
	for name := range names {
		sum, err := sumOf(site, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[name] = sum
	}
	return all, nil
}

func sumOf(site fs.FS, name string) (sum [sha256.Size]byte, err error) {
	f, err := site.Open(name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}
