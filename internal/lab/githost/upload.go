package githost

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
)

// upload answers one request of a fetch. The protocol over HTTP keeps no state: each
// request repeats what is wanted and what was found to be common.
func (r *repository) upload(body io.Reader, out *bufio.Writer) error {
	in := packets{pktline.NewScanner(body)}
	f, err := r.readFetch(in)
	if err != nil || len(f.wants) == 0 {
		return err
	}
	cut, err := r.commits(f)
	if err != nil {
		return err
	}
	if f.depth > 0 {
		if err := writeShallow(out, cut); err != nil {
			return err
		}
	}
	common, done, err := r.negotiate(in, out, f.caps["multi_ack_detailed"])
	if err != nil || !done {
		return err
	}
	names, err := r.choose(f, cut, common)
	if err != nil {
		return err
	}
	return within(out, f.caps, func(out *bufio.Writer) error { return r.writePack(out, names) })
}

func (r *repository) readFetch(in packets) (*fetch, error) {
	f := &fetch{filter: everything}
	for {
		line, err := in.next()
		if errors.Is(err, io.EOF) && f.caps == nil || line == "" && err == nil {
			return f, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the fetch's wishes: %w", err)
		}
		if err := f.wish(line); err != nil {
			return nil, err
		}
		if len(f.wants) > 0 {
			if _, ok := r.find(f.wants[len(f.wants)-1]); !ok {
				return nil, fmt.Errorf("upload-pack: not our ref %s", f.wants[len(f.wants)-1])
			}
		}
	}
}

// wish notes one line of a fetch's request.
func (f *fetch) wish(line string) (err error) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "want":
		hash, able, _ := strings.Cut(rest, " ")
		if f.caps == nil {
			f.caps = parseCapabilities(able)
		}
		h, err := parseHash(hash)
		f.wants = append(f.wants, h)
		return err
	case "shallow":
		h, err := parseHash(rest)
		f.shallows = append(f.shallows, h)
		return err
	case "deepen":
		f.depth, err = strconv.Atoi(rest)
		if err != nil || f.depth < 0 {
			return fmt.Errorf("%q is no depth", rest)
		}
		return nil
	case "filter":
		f.filter, err = parseFilter(rest)
		return err
	}
	return fmt.Errorf("%q is not supported", word)
}

// negotiate reads what the client has, and acknowledges what we have too. done says that
// the client waits for the pack.
func (r *repository) negotiate(in packets, out *bufio.Writer, detailed bool) (common []plumbing.Hash, done bool, err error) {
	for {
		line, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil, false, nil // the client goes on in its next request
		}
		if err != nil {
			return nil, false, err
		}
		switch {
		case line == "done":
			return common, true, acknowledge(out, common, detailed)
		case line == "":
			if err := endOfRound(out, common, detailed); err != nil {
				return nil, false, err
			}
		case strings.HasPrefix(line, "have "):
			h, err := parseHash(strings.TrimPrefix(line, "have "))
			if err != nil {
				return nil, false, err
			}
			if _, ok := r.find(h); !ok {
				continue
			}
			common = append(common, h)
			if err := acknowledgeHave(out, common, detailed); err != nil {
				return nil, false, err
			}
		default:
			return nil, false, errors.New("expected what the client has")
		}
	}
}

// acknowledgeHave answers the last of common at once.
func acknowledgeHave(out *bufio.Writer, common []plumbing.Hash, detailed bool) error {
	if detailed {
		return writePacket(out, "ACK %s common\n", common[len(common)-1])
	}
	if len(common) == 1 {
		return writePacket(out, "ACK %s\n", common[0])
	}
	return nil
}

// endOfRound tells the client after a batch of its commits whether that is enough. One
// common commit is: more would only make the pack smaller.
func endOfRound(out *bufio.Writer, common []plumbing.Hash, detailed bool) error {
	if detailed && len(common) > 0 {
		if err := writePacket(out, "ACK %s ready\n", common[len(common)-1]); err != nil {
			return err
		}
	}
	if detailed || len(common) == 0 {
		return writePacket(out, "NAK\n")
	}
	return nil
}

// acknowledge ends the negotiation.
func acknowledge(out *bufio.Writer, common []plumbing.Hash, detailed bool) error {
	if len(common) == 0 {
		return writePacket(out, "NAK\n")
	}
	if detailed {
		return writePacket(out, "ACK %s\n", common[len(common)-1])
	}
	return nil
}

func writeShallow(out *bufio.Writer, cut *history) error {
	for _, h := range cut.shallow {
		if err := writePacket(out, "shallow %s\n", h); err != nil {
			return err
		}
	}
	for _, h := range cut.unshallow {
		if err := writePacket(out, "unshallow %s\n", h); err != nil {
			return err
		}
	}
	return writeFlush(out)
}
