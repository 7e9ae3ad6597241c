package releasedir

import (
	"errors"
	"io"
	"time"

	"mirror/site"
)

// listExt ends the name of the file that lists what a release consists of.
const listExt = ".sha256"

// MaxList is the size of the largest list that is read, in bytes.
const MaxList = 512 << 20

// NeverLive is the time of the list of a release that was only staged, or was rolled back.
var NeverLive = time.Unix(1, 0)

// ListName returns the name of a release's list, in the folder of the releases.
func ListName(id site.ID) string { return string(id) + listExt }

// ReadList reads the text of a release's list. Another release's is an error.
func ReadList(id site.ID, text io.Reader) (site.Manifest, error) {
	m, err := site.ReadManifest(text)
	if err == nil && m.ID() != id {
		err = errors.New(ListName(id) + " is not of its release")
	}
	return m, err
}
