package githost

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
)

// maxMoves bounds the references that one push may move.
const maxMoves = 10_000

// receive answers a push: it takes in the pack, moves the references and reports.
func (r *repository) receive(body io.Reader, out *bufio.Writer) error {
	moves, caps, err := readMoves(packets{pktline.NewScanner(body)})
	if err != nil || len(moves) == 0 { // git asks with no moves whether it may push
		return err
	}
	unpacked := r.unpack(moves, body)
	refusals := make([]error, len(moves))
	if unpacked == nil {
		refusals = r.apply(moves, caps["atomic"])
	} else {
		for i := range refusals {
			refusals[i] = errors.New("unpacker error")
		}
	}
	if !caps["report-status"] {
		return nil
	}
	return within(out, caps, func(out *bufio.Writer) error { return report(out, unpacked, moves, refusals) })
}

// readMoves reads what a push wants to move, and leaves the body at its pack.
func readMoves(in packets) ([]move, capabilities, error) {
	var moves []move
	caps := capabilities{}
	for {
		line, err := in.next()
		if err != nil {
			return nil, nil, fmt.Errorf("read the push's commands: %w", err)
		}
		if line == "" {
			return moves, caps, nil
		}
		if strings.HasPrefix(line, "shallow ") {
			continue // where the pusher's history ends: ours must be whole all the same
		}
		command, able, first := strings.Cut(line, "\x00")
		if first {
			caps = parseCapabilities(able)
		}
		m, err := parseMove(command)
		if err != nil {
			return nil, nil, err
		}
		if moves = append(moves, m); len(moves) > maxMoves {
			return nil, nil, errors.New("too many references in one push")
		}
	}
}

func parseMove(command string) (move, error) {
	parts := strings.SplitN(command, " ", 3)
	if len(parts) != 3 {
		return move{}, fmt.Errorf("malformed command %q", command)
	}
	from, err := parseHash(parts[0])
	if err != nil {
		return move{}, err
	}
	to, err := parseHash(parts[1])
	return move{plumbing.ReferenceName(parts[2]), from, to}, err
}

// unpack takes in the objects. A push that only deletes brings no pack. Objects of a pack
// that turns out to be broken stay, and nothing refers to them.
func (r *repository) unpack(moves []move, body io.Reader) error {
	deletes := true
	for _, m := range moves {
		deletes = deletes && m.new.IsZero()
	}
	if deletes {
		return nil
	}
	parser, err := packfile.NewParserWithStorage(packfile.NewScanner(body), r.objects)
	if err == nil {
		_, err = parser.Parse()
	}
	if errors.Is(err, packfile.ErrEmptyPackfile) {
		return errors.New("eof before pack header was fully read")
	}
	return err
}

// report writes the status of each reference.
func report(out *bufio.Writer, unpacked error, moves []move, refusals []error) error {
	status := "ok"
	if unpacked != nil {
		status = oneLine(unpacked)
	}
	if err := writePacket(out, "unpack %s\n", status); err != nil {
		return err
	}
	for i, m := range moves {
		line := "ok " + m.ref.String()
		if refusals[i] != nil {
			line = "ng " + m.ref.String() + " " + oneLine(refusals[i])
		}
		if err := writePacket(out, "%s\n", line); err != nil {
			return err
		}
	}
	return writeFlush(out)
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", " ") }
