package static

import (
	"archive/tar"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxLayers bounds the layers of an image: each may cost a request.
const maxLayers = 1000

// ErrBadImage is wrapped by what Unpack says of an image that can never be served as it is.
var ErrBadImage = errors.New("the image holds no servable site")

const (
	webRootLabel = "mirror.web_root"
	webRoot      = "/site" // where the label is missing
)

// ImageLimits bound what an image may make us store and read. A zero field has its default.
type ImageLimits struct {
	Bytes   int64 // uncompressed, over all layers; default 8 GiB
	Entries int   // over all layers; default 1,000,000
}

func (l ImageLimits) withDefaults() ImageLimits {
	if l.Bytes == 0 {
		l.Bytes = 8 << 30
	}
	if l.Entries == 0 {
		l.Entries = 1_000_000
	}
	return l
}

// Image is the site inside a container image. Close frees its temporary file.
type Image struct {
	*Tree
	Root  string // folder of the image that the site is in, as an absolute path
	spool *Spool
}

// Close frees the disk space; nothing may be read afterwards.
func (i *Image) Close() error { return i.spool.Close() }

// Unpack copies the files below an image's web root (the label mirror.web_root, default
// /site) into a temporary file in the folder dir, "" for the system's. Later layers
// replace and white out what earlier ones hold, as the OCI image layer specification says.
func Unpack(img v1.Image, dir string, limits ImageLimits) (*Image, error) {
	root, err := WebRoot(img)
	if err != nil {
		return nil, err
	}
	return UnpackAny(img, []string{cmp.Or(root, webRoot)}, dir, limits)
}

// WebRoot returns what the label mirror.web_root of an image says, "" where it has none.
func WebRoot(img v1.Image) (string, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return "", fmt.Errorf("read the image's config: %w", err)
	}
	return config.Config.Labels[webRootLabel], nil
}

// UnpackAny is Unpack for the first of the web roots that holds an index.html, else the first that
// holds a file.
func UnpackAny(img v1.Image, roots []string, dir string, limits ImageLimits) (*Image, error) {
	layers, err := img.Layers()
	if err != nil {
		return nil, fmt.Errorf("read the image's layers: %w", err)
	}
	if len(layers) > maxLayers {
		return nil, fmt.Errorf("%w: it has %d layers, more than %d", ErrBadImage, len(layers), maxLayers)
	}
	spool, err := NewSpool(dir)
	if err != nil {
		return nil, err
	}
	u := &unpacker{spool: spool, left: limits.withDefaults(), nodes: map[string]node{}}
	for _, root := range roots {
		u.roots = append(u.roots, clean(root))
	}
	for _, layer := range layers {
		if err = u.add(layer); err != nil {
			break
		}
	}
	root, files := u.site()
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%w: there is no file below %s (hint: the label %s names the folder)", ErrBadImage, "/"+strings.Join(u.roots, ", /"), webRootLabel)
	}
	if err != nil {
		_ = spool.Close() // a temporary file: nothing is lost
		return nil, err
	}
	return &Image{NewTree(spool, files), "/" + root, spool}, nil
}

// site picks the web root, and returns its files.
func (u *unpacker) site() (root string, files map[string]Section) {
	for _, candidate := range u.roots {
		below := u.files(candidate)
		if _, ok := below["index.html"]; ok {
			return candidate, below
		}
		if len(files) == 0 {
			root, files = candidate, below
		}
	}
	return root, files
}

// clean makes a layer's name a path from the image's root, inside it.
func clean(name string) string { return path.Clean("/" + name)[1:] }

// node is a file or a link below the web root.
type node struct {
	at   Section
	link string // the path from the image's root that a symlink stands for, "" for a file
}

type unpacker struct {
	roots []string // without slashes around them
	spool *Spool
	left  ImageLimits
	nodes map[string]node // by the path from the image's root
}

// layerChange is what one layer does to those below it.
type layerChange struct {
	added   map[string]node
	gone    map[string]bool // whited out or replaced: the path and all below it
	emptied map[string]bool // opaque: all below the path
	folders map[string]bool // folders, which take the place of files
}

// add lays one layer over the earlier ones.
func (u *unpacker) add(layer v1.Layer) error {
	content, err := layer.Uncompressed()
	if err != nil {
		return fmt.Errorf("fetch a layer: %w", err)
	}
	defer content.Close()
	bounded := &boundedReader{content, u.left.Bytes}
	change, err := u.read(tar.NewReader(bounded))
	if err == nil {
		_, err = io.Copy(io.Discard, bounded) // to the end, where the layer's digest is checked
	}
	u.left.Bytes = bounded.left
	if err != nil {
		return fmt.Errorf("unpack a layer: %w", err)
	}
	for name := range u.nodes {
		if change.removes(name) {
			delete(u.nodes, name)
		}
	}
	for name, n := range change.added {
		u.nodes[name] = n
	}
	return nil
}

func (u *unpacker) read(layer *tar.Reader) (*layerChange, error) {
	change := &layerChange{map[string]node{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for {
		header, err := layer.Next()
		if err == io.EOF {
			return change, nil
		}
		if err != nil {
			return nil, err
		}
		if u.left.Entries--; u.left.Entries < 0 {
			return nil, fmt.Errorf("%w: it has too many entries", ErrBadImage)
		}
		if err := u.entry(change, header, layer); err != nil {
			return nil, err
		}
	}
}

// entry notes one entry of a layer. Devices, pipes and the like are not served.
func (u *unpacker) entry(c *layerChange, header *tar.Header, content io.Reader) error {
	name := clean(header.Name)
	dir, base := path.Split(name)
	if base == ".wh..wh..opq" {
		c.emptied[path.Clean(dir)] = true
		return nil
	}
	if victim, ok := strings.CutPrefix(base, ".wh."); ok {
		c.gone[dir+victim] = true
		return nil
	}
	if header.Typeflag == tar.TypeDir {
		c.folder(name)
		return nil
	}
	c.folder(path.Dir(name))
	c.gone[name] = true // also what lay below, if it was a folder
	if !u.below(name) {
		return nil
	}
	switch header.Typeflag {
	case tar.TypeReg:
		at, err := u.spool.Copy(content, header.Size)
		c.added[name] = node{at: at}
		return err
	case tar.TypeLink:
		if n, ok := c.find(u, clean(header.Linkname)); ok {
			c.added[name] = n
		}
	case tar.TypeSymlink:
		link := header.Linkname
		if !path.IsAbs(link) {
			link = dir + link
		}
		c.added[name] = node{link: clean(link)}
	}
	return nil
}

// folder notes that name and what is above it are folders.
func (c *layerChange) folder(name string) {
	for ; name != "." && !c.folders[name]; name = path.Dir(name) {
		c.folders[name] = true
	}
}

func (u *unpacker) below(name string) bool {
	return slices.ContainsFunc(u.roots, func(root string) bool { return isBelow(name, root) })
}

func isBelow(name, root string) bool { return root == "" || strings.HasPrefix(name, root+"/") }

// find looks for the target of a hard link, in this layer first.
func (c *layerChange) find(u *unpacker, name string) (node, bool) {
	if n, ok := c.added[name]; ok {
		return n, true
	}
	n, ok := u.nodes[name]
	return n, ok && !c.removes(name)
}

// removes says whether the layer takes away a file of an earlier one: itself, or with a
// folder above it, or because a file has come where a folder was, or the other way round.
func (c *layerChange) removes(name string) bool {
	if c.gone[name] || c.folders[name] {
		return true
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		if c.gone[dir] || c.emptied[dir] {
			return true
		}
		if dir == "." {
			return false
		}
	}
}

// maxLinks is how many symlinks may lead from one to the next.
const maxLinks = 16

// files are the files below a web root by their path in the site. A symlink stands for the file that it
// leads to; one that leads out of the web root or nowhere is left out.
func (u *unpacker) files(root string) map[string]Section {
	files := make(map[string]Section, len(u.nodes))
	for name, n := range u.nodes {
		ok := isBelow(name, root)
		for hops := 0; ok && n.link != "" && hops < maxLinks; hops++ {
			n, ok = u.nodes[n.link]
		}
		if ok && n.link == "" {
			files[strings.TrimPrefix(strings.TrimPrefix(name, root), "/")] = n.at
		}
	}
	return files
}

// boundedReader fails, rather than ends, when more is read than allowed.
type boundedReader struct {
	r    io.Reader
	left int64
}

// Read reads on, and fails where the layers become larger than allowed.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: its layers are too large", ErrBadImage)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}
