package image

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"mirror/site"
)

// Limits bound what reading an image back may cost. A registry can answer anything.
type Limits struct {
	Bytes   int64 // of all layers, uncompressed
	Entries int   // of all layers
}

// DefaultLimits are 64 GiB and four million entries.
func DefaultLimits() Limits { return Limits{Bytes: 64 << 30, Entries: 4 << 20} }

type kind int

const (
	dir kind = iota
	file
	symlink
	hardlink
	other // a device, a fifo
)

type node struct {
	kind   kind
	size   int64
	digest site.Digest
	target string // of a link
}

// Tree is what an image's layers, stacked, hold at and below one folder, and on the way
// to it. The layers are added from the top down, so that those below need not be fetched
// once they are hidden. Paths are relative to the image's root.
type Tree struct {
	root   string
	left   Limits
	nodes  map[string]node
	gone   map[string]bool // a layer above deletes this path
	opaque map[string]bool // a layer above hides all that is below this folder
	copied taker           // takes the content of some files, nil for none
}

// NewTree returns a tree with no layers, to list what is below root.
func NewTree(root string, l Limits) *Tree {
	return &Tree{
		root: strings.TrimPrefix(root, "/"), left: l,
		nodes: map[string]node{}, gone: map[string]bool{}, opaque: map[string]bool{},
	}
}

// taker takes the content of entries that it asks for: a Copied, or a Contents.
type taker interface {
	// entry returns a reader of the content, which takes what is read where the path is wanted.
	entry(path string, hdr *tar.Header, content io.Reader) io.Reader
}

// Copy has the layers that are added from now on leave what c asks for in it.
func (t *Tree) Copy(c taker) { t.copied = c }

// ErrTooLarge is the error of Layer for what is beyond the tree's limits.
var ErrTooLarge = errors.New("the image is larger than can be read back")

// Layer adds the next layer below.
func (t *Tree) Layer(r io.Reader) error {
	own := &Tree{root: t.root, nodes: map[string]node{}, gone: map[string]bool{}, opaque: map[string]bool{}}
	bounded := &io.LimitedReader{R: r, N: t.left.Bytes + 1}
	tr := tar.NewReader(bounded)
	for {
		hdr, err := tr.Next()
		if bounded.N <= 0 {
			return ErrTooLarge
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("layer: %w", err)
		}
		if t.left.Entries--; t.left.Entries < 0 {
			return ErrTooLarge
		}
		err = own.entry(hdr, t.copying(hdr, tr))
		if bounded.N <= 0 {
			return ErrTooLarge
		}
		if err != nil {
			return fmt.Errorf("layer: %s: %w", hdr.Name, err)
		}
	}
	t.left.Bytes = bounded.N - 1
	t.merge(own)
	return nil
}

// entry adds one entry of the layer being read.
func (t *Tree) entry(hdr *tar.Header, r io.Reader) error {
	p := strings.TrimPrefix(path.Clean("/"+hdr.Name), "/")
	if p == "" || !t.related(p) { // the root of the image is a folder in any case
		return nil
	}
	parent, base := path.Split(p)
	switch rest, isWhiteout := strings.CutPrefix(base, whiteout); {
	case base == opaqueWhiteout:
		t.opaque[path.Clean(parent)] = true
		return nil
	case isWhiteout && !strings.HasPrefix(rest, whiteout): // .wh..wh.* is the storage driver's own
		t.gone[parent+rest] = true
		return nil
	case isWhiteout:
		return nil
	}
	n, err := t.node(p, hdr, r)
	if err != nil {
		return err
	}
	t.nodes[p] = n
	for up := path.Dir(p); up != "."; up = path.Dir(up) {
		if _, known := t.nodes[up]; known {
			break
		}
		t.nodes[up] = node{kind: dir}
	}
	return nil
}

// copying returns the content of an entry, which is copied where it is wanted and no layer above hides it.
func (t *Tree) copying(hdr *tar.Header, content io.Reader) io.Reader {
	p := strings.TrimPrefix(path.Clean("/"+hdr.Name), "/")
	rel, below := t.inside(p)
	if _, covered := t.nodes[p]; t.copied == nil || !below || !t.shows(p) || covered && hdr.Typeflag != tar.TypeDir {
		return content
	}
	return t.copied.entry(rel, hdr, content)
}

// node hashes a file below the root; what is on the way to the root has no content for us.
func (t *Tree) node(p string, hdr *tar.Header, r io.Reader) (node, error) {
	switch hdr.Typeflag {
	case tar.TypeDir:
		return node{kind: dir}, nil
	case tar.TypeSymlink:
		return node{kind: symlink, target: hdr.Linkname}, nil
	case tar.TypeLink:
		return node{kind: hardlink, target: hdr.Linkname}, nil
	case tar.TypeReg, tar.TypeGNUSparse:
	default:
		return node{kind: other}, nil
	}
	if _, below := t.inside(p); !below {
		return node{kind: file}, nil
	}
	h := sha256.New()
	n, err := io.Copy(h, r)
	return node{kind: file, size: n, digest: site.Digest(h.Sum(nil))}, err
}

// related reports whether a path is the root, below it, or on the way to it.
func (t *Tree) related(p string) bool {
	if _, below := t.inside(p); below || p == t.root || strings.HasPrefix(t.root, p+"/") {
		return true
	}
	parent, base := path.Split(p)
	deleted, ok := strings.CutPrefix(base, whiteout)
	if !ok {
		return false
	}
	return base == opaqueWhiteout && strings.HasPrefix(t.root, parent) || t.related(parent+deleted)
}

// inside returns the path below the root of what lies there.
func (t *Tree) inside(p string) (rel string, below bool) {
	if t.root == "" {
		return p, p != ""
	}
	return strings.CutPrefix(p, t.root+"/")
}

// merge puts a layer below those that are there.
func (t *Tree) merge(below *Tree) {
	visible := map[string]node{}
	for p, n := range below.nodes {
		if _, covered := t.nodes[p]; !covered && t.shows(p) {
			visible[p] = n
		}
	}
	for p, n := range visible {
		t.nodes[p] = n
	}
	for p := range below.gone {
		t.gone[p] = true
	}
	for p := range below.opaque {
		t.opaque[p] = true
	}
}

// shows reports whether a path of a layer below can be seen through those that are there.
func (t *Tree) shows(p string) bool {
	if t.gone[p] {
		return false
	}
	for up := path.Dir(p); ; up = path.Dir(up) {
		if n, known := t.nodes[up]; t.gone[up] || t.opaque[up] || known && n.kind != dir {
			return false
		}
		if up == "." {
			return true
		}
	}
}

// Complete reports whether no layer below can add anything.
func (t *Tree) Complete() bool {
	n, known := t.nodes[t.root]
	return t.opaque[path.Clean(t.root)] || !t.shows(t.root) || known && n.kind != dir
}

// Plain reports whether all that is below the root, and on the way to it, is files and folders.
func (t *Tree) Plain() bool {
	for _, n := range t.nodes {
		if n.kind != dir && n.kind != file {
			return false
		}
	}
	return true
}

// Files lists the files below the root but the one at skip. A link stands for the
// file that it leads to below the root. What leads to none, and what is neither file nor
// folder, is listed with the zero digest, so that it equals no file of a release.
func (t *Tree) Files(skip string) site.Manifest {
	var m site.Manifest
	for p, n := range t.nodes {
		rel, below := t.inside(p)
		if !below || n.kind == dir || rel == skip || site.IsSums(rel) || !t.reachable(p) {
			continue
		}
		if n.kind != file {
			n = t.resolve(p)
		}
		m = append(m, site.File{Path: rel, Size: n.size, Digest: n.digest})
	}
	m.Sort()
	return m
}

// reachable reports whether all folders on the way to p are folders.
func (t *Tree) reachable(p string) bool {
	for up := path.Dir(p); up != "."; up = path.Dir(up) {
		if t.nodes[up].kind != dir {
			return false
		}
	}
	return true
}

// resolve follows links from p to a file below the root, component by component.
func (t *Tree) resolve(p string) node {
	rest, at := strings.Split(p, "/"), ""
	for hops := 0; len(rest) > 0; {
		next := path.Join(at, rest[0])
		rest = rest[1:]
		n, known := t.nodes[next]
		if !known {
			return node{}
		}
		if n.kind != symlink && n.kind != hardlink {
			at = next
			continue
		}
		if hops++; hops > maxHops {
			return node{}
		}
		target := n.target
		if n.kind == symlink && !path.IsAbs(target) {
			target = path.Join("/", path.Dir(next), target)
		}
		target = strings.TrimPrefix(path.Clean("/"+target), "/")
		rest, at = append(strings.Split(target, "/"), rest...), ""
	}
	if _, below := t.inside(at); below && t.nodes[at].kind == file {
		return t.nodes[at]
	}
	return node{}
}
