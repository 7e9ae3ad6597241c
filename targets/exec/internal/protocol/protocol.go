// Package protocol is what mirror and the program of an exec target say to each other: one request as a line of JSON
// and as environment variables, and lines of JSON as the answer. docs/targets/exec.md describes it. The package runs
// the program and bounds what it prints; it knows no target.
package protocol

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"mirror/internal/command"
	"mirror/site"
	"mirror/targets"
)

// version is that of the protocol.
const version = 1

// What a program prints has at most.
const (
	maxLine  = 64 << 10  // bytes
	maxLines = 4_000_000 // of files
	maxOther = 100_000
)

// Request is what a program is asked to do.
type Request struct {
	Mirror   int      `json:"mirror"` // version of the protocol
	ID       string   `json:"id"`     // differs on every request
	Op       string   `json:"op"`
	Release  site.ID  `json:"release,omitempty"`
	Folder   string   `json:"folder,omitempty"`   // with all files of the release, and its beacon
	Manifest string   `json:"manifest,omitempty"` // file: its list of files, as sha256sum prints it
	Beacon   string   `json:"beacon,omitempty"`   // path of the beacon in the folder
	From     *State   `json:"from,omitempty"`
	Limit    int      `json:"limit,omitempty"`
	Paths    []string `json:"paths,omitempty"`
	Tmp      string   `json:"tmp"` // folder that is removed after the request

	// Of requests that only a program gets which says that it can do them. The texts are names of files.
	Owner       string `json:"owner,omitempty"`       // of the reservation: the publisher
	Reservation string `json:"reservation,omitempty"` // differs on every reservation
	Lease       int    `json:"lease,omitempty"`       // seconds
	Notes       string `json:"notes,omitempty"`
	Grace       string `json:"grace,omitempty"`  // the list to keep beside the copy
	Beside      string `json:"beside,omitempty"` // paths of live files to put into the copy
	Drop        string `json:"drop,omitempty"`   // names of copies
	Erase       string `json:"erase,omitempty"`  // digests
	Remove      string `json:"remove,omitempty"` // paths
	Erased      string `json:"erased,omitempty"` // the record to keep of all that was erased
}

// State is what is live.
type State struct {
	Release  site.ID `json:"release"`
	Revision string  `json:"revision"`
}

// Line is one line that a program prints. The last one is its answer: it has the version and the request's ID.
type Line struct {
	Mirror int    `json:"mirror"`
	ID     string `json:"id"`
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Code   string `json:"code"`
	State
	Recorded bool `json:"recorded"`

	Can    []string `json:"can"`    // what the program can do beyond what every program does
	Beacon string   `json:"beacon"` // file: the live beacon
	Grace  string   `json:"grace"`  // file: the list that was staged with the live copy
	Erased string   `json:"erased"` // file: the record of the last erase
	Folder string   `json:"folder"` // of a release that is restored
	List   string   `json:"manifest"`

	Progress *struct {
		Files int   `json:"files"`
		Bytes int64 `json:"bytes"`
	} `json:"progress"`
	Sum  string `json:"sum"` // a line of sha256sum
	Size int64  `json:"size"`
	Path string `json:"path"` // of what is live and is no file that can be read
	Past *struct {
		Release   site.ID   `json:"release"`
		Published time.Time `json:"published"`
		Manifest  string    `json:"manifest"` // file
	} `json:"past"`
	Held *Copy `json:"held"`
}

// Copy is a whole copy of a release that the program holds.
type Copy struct {
	Release  site.ID `json:"release"`
	Name     string  `json:"name"`     // the program's own, different for each copy
	Age      int64   `json:"age"`      // seconds since it was staged
	Manifest string  `json:"manifest"` // file
}

// variables are the request's fields for programs that read no JSON.
func (r Request) variables() []string {
	from := State{}
	if r.From != nil {
		from = *r.From
	}
	return []string{
		"MIRROR_PROTOCOL=" + strconv.Itoa(r.Mirror), "MIRROR_ID=" + r.ID, "MIRROR_OP=" + r.Op, "MIRROR_RELEASE=" + string(r.Release),
		"MIRROR_FOLDER=" + r.Folder, "MIRROR_MANIFEST=" + r.Manifest, "MIRROR_BEACON=" + r.Beacon, "MIRROR_TMP=" + r.Tmp,
		"MIRROR_FROM_RELEASE=" + string(from.Release), "MIRROR_FROM_REVISION=" + from.Revision, "MIRROR_LIMIT=" + strconv.Itoa(r.Limit),
		"MIRROR_OWNER=" + r.Owner, "MIRROR_RESERVATION=" + r.Reservation, "MIRROR_LEASE=" + strconv.Itoa(r.Lease), "MIRROR_NOTES=" + r.Notes,
		"MIRROR_GRACE=" + r.Grace, "MIRROR_BESIDE=" + r.Beside, "MIRROR_DROP=" + r.Drop, "MIRROR_ERASE=" + r.Erase, "MIRROR_REMOVE=" + r.Remove,
		"MIRROR_ERASED=" + r.Erased,
	}
}

// err is what the program answered in place of an ok.
func (l Line) err() error {
	text := command.Plain(l.Error)
	switch l.Code {
	case "conflict":
		return fmt.Errorf("%s: %w", text, targets.ErrConflict)
	case "not_staged":
		return fmt.Errorf("%s: %w", text, targets.ErrNotStaged)
	case "not_held":
		return fmt.Errorf("%s: %w", text, targets.ErrNotHeld)
	case "reserved":
		return fmt.Errorf("%s: %w", text, targets.ErrReserved)
	case "refused":
		return &targets.RefusedError{Path: l.Path, Reason: text}
	}
	if text == "" {
		return errors.New("it answers neither ok nor an error")
	}
	return errors.New(text)
}
