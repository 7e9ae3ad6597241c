package githost

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
)

// maxBand is the most content that fits into one packet of a side band.
const maxBand = 65520 - 5

func writePacket(out *bufio.Writer, format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	_, err := fmt.Fprintf(out, "%04x%s", len(line)+4, line)
	return err
}

func writeFlush(out *bufio.Writer) error {
	_, err := out.WriteString("0000")
	return err
}

// band writes into the first channel of a side band.
type band struct{ out *bufio.Writer }

// Write writes as many packets as it takes.
func (b band) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), maxBand)
		if _, err := fmt.Fprintf(b.out, "%04x\x01%s", n+5, rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}

// within lets write answer through the side band where the client asked for one.
func within(out *bufio.Writer, caps capabilities, write func(*bufio.Writer) error) error {
	if !caps["side-band-64k"] {
		return write(out)
	}
	inner := bufio.NewWriterSize(band{out}, maxBand)
	if err := write(inner); err != nil {
		return err
	}
	if err := inner.Flush(); err != nil {
		return err
	}
	return writeFlush(out)
}

// capabilities are those that a client asked for; those with a value are left out.
type capabilities map[string]bool

func parseCapabilities(text string) capabilities {
	caps := capabilities{}
	for _, c := range strings.Fields(text) {
		caps[c] = true
	}
	return caps
}

// packets reads a client's packets, a flush being nil.
type packets struct{ *pktline.Scanner }

// next returns a packet without its line end, "" for a flush; io.EOF at the end.
func (p packets) next() (string, error) {
	if !p.Scan() {
		if p.Err() != nil {
			return "", p.Err()
		}
		return "", io.EOF
	}
	return strings.TrimSuffix(string(p.Bytes()), "\n"), nil
}

func parseHash(text string) (plumbing.Hash, error) {
	if len(text) != 40 || !plumbing.IsHash(text) {
		return plumbing.ZeroHash, fmt.Errorf("%q is no object name", text)
	}
	return plumbing.NewHash(text), nil
}
