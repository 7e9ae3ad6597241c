package grace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"mirror/site"
)

// MaxBytes bounds an encoded list.
const MaxBytes = 8 << 20

const version = 1

type document struct {
	Version int    `json:"version"`
	Files   []file `json:"files"`
}

type file struct {
	Path     string `json:"path"`
	Size     int64  `json:"size"`
	Digest   string `json:"sha256,omitempty"`
	Left     int64  `json:"left"` // Unix time, in seconds
	Releases int    `json:"releases"`
}

// Encode writes a list as the document that a target keeps.
func (l List) Encode() []byte {
	d := document{Version: version, Files: make([]file, len(l))}
	for i, e := range l {
		d.Files[i] = file{Path: e.Path, Size: e.Size, Left: e.Left.Unix(), Releases: e.Releases}
		if !e.Digest.IsZero() {
			d.Files[i].Digest = e.Digest.String()
		}
	}
	text, _ := json.Marshal(d) // strings and numbers
	return append(text, '\n')
}

// Decode reads what Encode wrote. Others may have written it: a path that leads outside is an error.
func Decode(text []byte) (List, error) {
	var d document
	if len(text) > MaxBytes {
		return nil, errors.New("the list of files in grace is too long")
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("list of files in grace: %w", err)
	}
	if d.Version != version {
		return nil, fmt.Errorf("list of files in grace: version %d is not known", d.Version)
	}
	l := make(List, 0, min(len(d.Files), MaxEntries))
	for _, f := range d.Files {
		e := Entry{Path: f.Path, Size: f.Size, Left: time.Unix(f.Left, 0).UTC(), Releases: f.Releases}
		if f.Path == "." || !fs.ValidPath(f.Path) {
			return nil, fmt.Errorf("list of files in grace: %q is not a path of a site", f.Path)
		}
		if f.Digest != "" {
			digest, err := site.ParseDigest(f.Digest)
			if err != nil {
				return nil, fmt.Errorf("list of files in grace: %w", err)
			}
			e.Digest = digest
		}
		l = append(l, e)
	}
	return l.Sorted(MaxEntries), nil
}
