package exec

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// request is what a program is asked to do.
type request struct {
	Mirror   int      `json:"mirror"` // version of the protocol
	ID       string   `json:"id"`     // differs on every request
	Op       string   `json:"op"`
	Release  site.ID  `json:"release,omitempty"`
	Folder   string   `json:"folder,omitempty"`   // with all files of the release, and its beacon
	Manifest string   `json:"manifest,omitempty"` // file: its list of files, as sha256sum prints it
	Beacon   string   `json:"beacon,omitempty"`   // path of the beacon in the folder
	From     *state   `json:"from,omitempty"`
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
}

// state is what is live.
type state struct {
	Release  site.ID `json:"release"`
	Revision string  `json:"revision"`
}

// line is one line that a program prints. The last one is its answer: it has the version and the request's ID.
type line struct {
	Mirror int    `json:"mirror"`
	ID     string `json:"id"`
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Code   string `json:"code"`
	state
	Recorded bool `json:"recorded"`

	Can    []string `json:"can"`    // what the program can do beyond what every program does
	Beacon string   `json:"beacon"` // file: the live beacon
	Grace  string   `json:"grace"`  // file: the list that was staged with the live copy
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
	Held *copyLine `json:"held"`
}

// copyLine is a whole copy of a release that the program holds.
type copyLine struct {
	Release  site.ID `json:"release"`
	Name     string  `json:"name"`     // the program's own, different for each copy
	Age      int64   `json:"age"`      // seconds since it was staged
	Manifest string  `json:"manifest"` // file
}

// variables are the request's fields for programs that read no JSON.
func (r request) variables() []string {
	from := state{}
	if r.From != nil {
		from = *r.From
	}
	return []string{
		"MIRROR_PROTOCOL=" + strconv.Itoa(r.Mirror), "MIRROR_ID=" + r.ID, "MIRROR_OP=" + r.Op, "MIRROR_RELEASE=" + string(r.Release),
		"MIRROR_FOLDER=" + r.Folder, "MIRROR_MANIFEST=" + r.Manifest, "MIRROR_BEACON=" + r.Beacon, "MIRROR_TMP=" + r.Tmp,
		"MIRROR_FROM_RELEASE=" + string(from.Release), "MIRROR_FROM_REVISION=" + from.Revision, "MIRROR_LIMIT=" + strconv.Itoa(r.Limit),
		"MIRROR_OWNER=" + r.Owner, "MIRROR_RESERVATION=" + r.Reservation, "MIRROR_LEASE=" + strconv.Itoa(r.Lease), "MIRROR_NOTES=" + r.Notes,
		"MIRROR_GRACE=" + r.Grace, "MIRROR_BESIDE=" + r.Beside, "MIRROR_DROP=" + r.Drop, "MIRROR_ERASE=" + r.Erase, "MIRROR_REMOVE=" + r.Remove,
	}
}

// program is what is run for each request.
type program struct {
	command []string
	workdir string
	timeout time.Duration // how long it may print nothing
}

func (p program) name() string { return filepath.Base(p.command[0]) }

// ask runs the program for a request. Each line before the answer is given to hear, which may be nil.
func (p program) ask(ctx context.Context, r request, hear func(l line) error) (line, error) {
	r.Mirror, r.ID = version, rand.Text()
	answer, err := p.run(ctx, r, hear)
	switch {
	case ctx.Err() != nil:
		return line{}, context.Cause(ctx)
	case err != nil:
		return line{}, fmt.Errorf("%s, asked for %s: %w", p.name(), r.Op, err)
	case answer.Error != "" || !answer.OK:
		return line{}, fmt.Errorf("%s, asked for %s: %w", p.name(), r.Op, answer.err())
	}
	return answer, nil
}

// err is what the program answered in place of an ok.
func (l line) err() error {
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

func (p program) run(ctx context.Context, r request, hear func(l line) error) (answer line, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	name, args, err := p.arguments()
	if err != nil {
		return line{}, err
	}
	words := &command.Words{}
	process, err := command.Start(ctx, append(os.Environ(), r.variables()...), words, name, args...)
	if err != nil {
		return line{}, err
	}
	silent := time.AfterFunc(p.timeout, func() { cancel(fmt.Errorf("it printed nothing for %s, and was ended", p.timeout)) })
	defer silent.Stop()
	go func() {
		text, _ := json.Marshal(r) // it has nothing that cannot be encoded
		_, _ = process.In.Write(append(text, '\n'))
		_ = process.In.Close() // a program need not read it
	}()
	answer, err = read(process.Out, r.ID, func() { silent.Reset(p.timeout) }, hear)
	if err != nil {
		process.Kill()
	}
	waitErr := process.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	} else if err == nil && waitErr != nil && answer.Error == "" {
		err = fmt.Errorf("it answered ok and ended with %w", waitErr)
	} else if errors.Is(err, errNoAnswer) && waitErr != nil {
		err = fmt.Errorf("%w: %w", err, waitErr)
	}
	if said := words.String(); err != nil && said != "" {
		err = fmt.Errorf("%w; it said: %s", err, said)
	}
	return answer, err
}

// arguments are the command in its folder. A program that is named by a path is below that folder.
func (p program) arguments() (string, []string, error) {
	if p.workdir == "" {
		return p.command[0], p.command[1:], nil
	}
	dir, err := filepath.Abs(p.workdir)
	if err != nil {
		return "", nil, err
	}
	return "sh", append([]string{"-c", `cd -- "$0" && exec "$@"`, dir}, p.command...), nil
}

var errNoAnswer = errors.New("it ended without an answer")

// read reads the lines up to the answer, and makes sure that none follows it.
func read(out io.Reader, id string, moved func(), hear func(l line) error) (answer line, err error) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLine)
	answered, others := false, 0
	for n := 1; lines.Scan(); n++ {
		moved()
		text := bytes.TrimSpace(lines.Bytes())
		var l line
		if !bytes.Contains(text, []byte(`"sum"`)) {
			others++
		}
		switch err := json.Unmarshal(text, &l); {
		case len(text) == 0:
			continue
		case n > maxLines || others > maxOther:
			return line{}, fmt.Errorf("it prints more than %d lines of files, or %d others", maxLines, maxOther)
		case answered:
			return line{}, fmt.Errorf("it goes on after its answer: %s", brief(text))
		case err != nil:
			return line{}, fmt.Errorf("line %d of its output is not JSON of the protocol: %s", n, brief(text))
		case l.Mirror == 0:
			if hear == nil {
				break
			}
			if err := hear(l); err != nil {
				return line{}, fmt.Errorf("line %d of its output: %w", n, err)
			}
		case l.Mirror != version:
			return line{}, fmt.Errorf("it speaks version %d of the protocol, and mirror speaks %d", l.Mirror, version)
		case l.ID != id:
			return line{}, fmt.Errorf("it answers another request: %s", brief(text))
		default:
			answer, answered = l, true
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return line{}, fmt.Errorf("it prints a line of more than %d bytes", maxLine)
	case !answered:
		return line{}, errNoAnswer
	}
	return answer, nil
}

func brief(text []byte) string {
	return strconv.Quote(strings.ToValidUTF8(string(text[:min(len(text), 80)]), ""))
}
