// Package record writes the files of a release, with their sizes, to a file, and reads them again: what a
// front serves is known at once after a restart, and what a publish is about to make live is known to a
// front on the same machine before it is live.
package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/site"
)

// maxSize bounds a file with a record, in bytes: a million files have room.
const maxSize = 512 << 20

// Release is a release as it was live, or is about to be.
type Release struct {
	site.Beacon
	Manifest site.Manifest `json:"-"`
}

// Write replaces the file. It holds the beacon as a line of JSON, the size of each file in a line of its
// own, and the manifest as text.
func Write(name string, r Release) error {
	r.Files = len(r.Manifest)
	line, err := beaconLine(r.Beacon)
	if err != nil {
		return err
	}
	text := bytes.NewBuffer(line)
	for _, f := range r.Manifest {
		text.WriteString(strconv.FormatInt(f.Size, 10) + "\n")
	}
	if _, err := r.Manifest.WriteTo(text); err != nil {
		return err
	}
	return atomicfile.WriteFile(name, text.Bytes(), 0o600)
}

// Read reads what Write wrote. A record whose files are not those of its release is an error.
func Read(name string) (Release, error) {
	data, err := regular.ReadFile(name, maxSize)
	if err != nil {
		return Release{}, err
	}
	r, err := parse(bufio.NewReader(bytes.NewReader(data)))
	if err != nil {
		return Release{}, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

var errOther = errors.New("the record holds other files than those of its release")

func parse(text *bufio.Reader) (r Release, err error) {
	line, err := text.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &r.Beacon)
	}
	if err != nil {
		return r, err
	}
	var sizes []int64
	for range r.Files {
		line, err := text.ReadString('\n')
		if err != nil {
			return r, io.ErrUnexpectedEOF
		}
		size, err := strconv.ParseInt(strings.TrimSuffix(line, "\n"), 10, 64)
		if err != nil || size < 0 {
			return r, errOther
		}
		sizes = append(sizes, size)
	}
	if r.Manifest, err = site.ReadManifest(text); err != nil {
		return r, err
	}
	if len(r.Manifest) != len(sizes) || r.Manifest.ID() != r.Release {
		return r, errOther
	}
	for i, size := range sizes {
		r.Manifest[i].Size = size
	}
	return r, nil
}
