package protocol

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
)

// Program is what is run for each request.
type Program struct {
	Command []string
	Workdir string
	Timeout time.Duration // how long it may print nothing
}

// Name is that of the program, without its folder.
func (p Program) Name() string { return filepath.Base(p.Command[0]) }

// Ask runs the program for a request. Each line before the answer is given to hear, which may be nil.
func (p Program) Ask(ctx context.Context, r Request, hear func(l Line) error) (Line, error) {
	r.Mirror, r.ID = version, rand.Text()
	answer, err := p.run(ctx, r, hear)
	switch {
	case ctx.Err() != nil:
		return Line{}, context.Cause(ctx)
	case err != nil:
		return Line{}, fmt.Errorf("%s, asked for %s: %w", p.Name(), r.Op, err)
	case answer.Error != "" || !answer.OK:
		return Line{}, fmt.Errorf("%s, asked for %s: %w", p.Name(), r.Op, answer.err())
	}
	return answer, nil
}

func (p Program) run(ctx context.Context, r Request, hear func(l Line) error) (answer Line, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	name, args, err := p.arguments()
	if err != nil {
		return Line{}, err
	}
	words := &command.Words{}
	process, err := command.Start(ctx, append(os.Environ(), r.variables()...), words, name, args...)
	if err != nil {
		return Line{}, err
	}
	silent := time.AfterFunc(p.Timeout, func() { cancel(fmt.Errorf("it printed nothing for %s, and was ended", p.Timeout)) })
	defer silent.Stop()
	go func() {
		text, _ := json.Marshal(r)                  // it has nothing that cannot be encoded
		_, _ = process.In.Write(append(text, '\n')) // the same
		_ = process.In.Close()                      // a program need not read it
	}()
	answer, err = read(process.Out, r.ID, func() { silent.Reset(p.Timeout) }, hear)
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
func (p Program) arguments() (string, []string, error) {
	if p.Workdir == "" {
		return p.Command[0], p.Command[1:], nil
	}
	dir, err := filepath.Abs(p.Workdir)
	if err != nil {
		return "", nil, err
	}
	return "sh", append([]string{"-c", `cd -- "$0" && exec "$@"`, dir}, p.Command...), nil
}

var errNoAnswer = errors.New("it ended without an answer")

// read reads the lines up to the answer, and makes sure that none follows it.
func read(out io.Reader, id string, moved func(), hear func(l Line) error) (answer Line, err error) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLine)
	answered, others := false, 0
	for n := 1; lines.Scan(); n++ {
		moved()
		text := bytes.TrimSpace(lines.Bytes())
		var l Line
		if !bytes.Contains(text, []byte(`"sum"`)) {
			others++
		}
		switch err := json.Unmarshal(text, &l); {
		case len(text) == 0:
			continue
		case n > maxLines || others > maxOther:
			return Line{}, fmt.Errorf("it prints more than %d lines of files, or %d others", maxLines, maxOther)
		case answered:
			return Line{}, fmt.Errorf("it goes on after its answer: %s", Brief(text))
		case err != nil:
			return Line{}, fmt.Errorf("line %d of its output is not JSON of the protocol: %s", n, Brief(text))
		case l.Mirror == 0:
			if hear == nil {
				break
			}
			if err := hear(l); err != nil {
				return Line{}, fmt.Errorf("line %d of its output: %w", n, err)
			}
		case l.Mirror != version:
			return Line{}, fmt.Errorf("it speaks version %d of the protocol, and mirror speaks %d", l.Mirror, version)
		case l.ID != id:
			return Line{}, fmt.Errorf("it answers another request: %s", Brief(text))
		default:
			answer, answered = l, true
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return Line{}, fmt.Errorf("it prints a line of more than %d bytes", maxLine)
	case !answered:
		return Line{}, errNoAnswer
	}
	return answer, nil
}

// Brief quotes the beginning of what a program printed, for errors.
func Brief(text []byte) string {
	return strconv.Quote(strings.ToValidUTF8(string(text[:min(len(text), 80)]), ""))
}
