package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
)

// session is a conversation whose advertisement was read.
type session struct {
	conversation
	service service
	refs    map[plumbing.ReferenceName]plumbing.Hash
	caps    *capability.List
	used    bool // the one exchange was made
}

// maxAdvertisement bounds what a server says of its refs, in bytes: about half a million.
const maxAdvertisement = 64 << 20

// openSession begins a conversation and reads what the server has.
func openSession(ctx context.Context, r remote, s service) (*session, error) {
	c, err := r.dial(ctx, s)
	if err != nil {
		return nil, because(ctx, err)
	}
	out := &session{conversation: c, service: s}
	adv := packp.NewAdvRefs()
	err = adv.Decode(&bounded{r: c.advertisement(), left: maxAdvertisement})
	if err != nil && !errors.Is(err, packp.ErrEmptyAdvRefs) {
		closeErr := c.Close()
		return nil, because(ctx, fmt.Errorf("read the remote's refs: %w", out.explain(errors.Join(err, closeErr))))
	}
	if f := adv.Capabilities.Get("object-format"); len(f) > 0 && f[0] != "sha1" {
		c.Close()
		return nil, fmt.Errorf("the repository's object format is %s, and only sha1 is spoken here", plain(f[0]))
	}
	out.caps, out.refs = adv.Capabilities, make(map[plumbing.ReferenceName]plumbing.Hash, len(adv.References))
	for name, hash := range adv.References {
		out.refs[plumbing.ReferenceName(name)] = hash
	}
	return out, nil
}

// explain prefers what the program at the other end complained of to our own view of it.
func (s *session) explain(err error) error {
	if c, ok := s.conversation.(*stream); ok {
		if said := c.said(); said != "" {
			return fmt.Errorf("%s (%w)", said, err)
		}
	}
	if errors.Is(err, packp.ErrEmptyInput) {
		return errors.New("the server closed the connection without a word")
	}
	return err
}

// because puts the end of ctx in place of what it caused.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// bounded is a reader that fails, not ends, after so many bytes.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// canFetch reports whether the session reads and has its one exchange still before it.
func (s *session) canFetch() bool { return s.service == uploadPack && !s.used }

// fetch asks for the given commit, depth commits deep, and writes the pack to w. An empty
// filter asks for everything.
func (s *session) fetch(ctx context.Context, want plumbing.Hash, depth int, filter packp.Filter, w io.Writer) error {
	return s.fetchAll(ctx, wish{wants: []plumbing.Hash{want}, depth: depth, filter: filter}, maxPack, w)
}

// wish is what a fetch asks for.
type wish struct {
	wants  []plumbing.Hash
	depth  int          // commits; 0 for all of them
	filter packp.Filter // "" for everything
}

// fetchAll asks for what is wished, and writes the pack, of limit bytes at most, to w.
func (s *session) fetchAll(ctx context.Context, wanted wish, limit int64, w io.Writer) error {
	s.used = true
	req := s.uploadRequest(wanted)
	var head bytes.Buffer
	if err := req.UploadRequest.Encode(&head); err != nil {
		return err
	}
	if err := pktline.NewEncoder(&head).EncodeString("done\n"); err != nil {
		return err
	}
	answer, err := s.exchange(ctx, request{head: head.Bytes()})
	if err != nil {
		return because(ctx, err)
	}
	defer answer.Close()
	resp := packp.NewUploadPackResponse(req)
	if err := resp.Decode(answer); err != nil {
		return because(ctx, s.explain(err))
	}
	_, err = io.Copy(w, &bounded{r: s.demux(resp, io.Discard), left: limit})
	return because(ctx, err)
}

// maxPack bounds a fetched pack, in bytes.
const maxPack = 16 << 30

func (s *session) uploadRequest(w wish) *packp.UploadPackRequest {
	req := packp.NewUploadPackRequestFromCapabilities(s.caps)
	for _, c := range []capability.Capability{capability.MultiACK, capability.MultiACKDetailed, capability.ThinPack} {
		req.Capabilities.Delete(c)
	}
	s.ask(req.Capabilities, capability.NoProgress)
	req.Wants = slices.Clone(w.wants) // encoding them sorts them
	if w.depth > 0 && s.ask(req.Capabilities, capability.Shallow) {
		req.Depth = packp.DepthCommits(w.depth)
	}
	if w.filter != "" && s.ask(req.Capabilities, capability.Filter) {
		req.Filter = w.filter
	}
	return req
}

// ask requests a capability if the server has it, and reports whether it has.
func (s *session) ask(list *capability.List, c capability.Capability) bool {
	if !s.caps.Supports(c) {
		return false
	}
	return list.Set(c) == nil
}

// demux takes the data out of a stream that may carry messages too.
func (s *session) demux(r io.Reader, messages io.Writer) io.Reader {
	var d *sideband.Demuxer
	switch {
	case s.caps.Supports(capability.Sideband64k):
		d = sideband.NewDemuxer(sideband.Sideband64k, r)
	case s.caps.Supports(capability.Sideband) && s.service == uploadPack:
		d = sideband.NewDemuxer(sideband.Sideband, r)
	default:
		return r
	}
	d.Progress = messages
	return d
}

// push sends commands and a pack (nil where only refs are deleted), and reads what became
// of them. A refusal is a *rejectedError; after any other error the outcome is unknown.
func (s *session) push(ctx context.Context, pack *pack, sent func(int), commands ...*packp.Command) error {
	if !s.caps.Supports(capability.ReportStatus) {
		return errors.New("the server does not report what became of a push, so nothing was sent")
	}
	req := packp.NewReferenceUpdateRequestFromCapabilities(s.caps)
	req.Commands = commands
	s.ask(req.Capabilities, capability.Sideband64k)
	if len(commands) > 1 {
		s.ask(req.Capabilities, capability.Atomic)
	}
	var head bytes.Buffer
	if err := req.Encode(&head); err != nil {
		return err
	}
	r := request{head: head.Bytes(), sent: sent}
	if pack != nil {
		r.pack, r.size = pack.file, pack.size
	}
	s.used = true
	answer, err := s.exchange(ctx, r)
	if err != nil {
		return because(ctx, err)
	}
	defer answer.Close()
	return because(ctx, s.readReport(answer))
}

// maxReport bounds a server's report of a push, in bytes.
const maxReport = 16 << 20

func (s *session) readReport(answer io.Reader) error {
	messages := &words{}
	in := bufio.NewReader(&bounded{r: answer, left: maxReport})
	report := packp.NewReportStatus()
	if err := report.Decode(s.demux(in, messages)); err != nil {
		return fmt.Errorf("the server's report of the push: %w%s", s.explain(err), messages.remote())
	}
	refused := &rejectedError{messages: messages.remote()}
	if report.UnpackStatus != "ok" {
		refused.unpack = plain(report.UnpackStatus)
		return refused
	}
	for _, c := range report.CommandStatuses {
		if err := c.Error(); err != nil {
			refused.refs = append(refused.refs, plain(string(c.ReferenceName)+": "+c.Status))
		}
	}
	if len(refused.refs) > 0 {
		return refused
	}
	return nil
}

// rejectedError is a push that the server refused in so many words.
type rejectedError struct {
	unpack   string   // why the pack was not taken, "" if it was
	refs     []string // the refs that did not move, and why
	messages string
}

func (e *rejectedError) Error() string {
	why := strings.Join(e.refs, "; ")
	if e.unpack != "" {
		why = "it could not take the objects: " + e.unpack
	}
	return "the server refused the push: " + why + e.messages
}

// remote shows a server's messages as git does.
func (w *words) remote() string {
	text := w.String()
	if text == "" {
		return ""
	}
	return "\nremote: " + strings.ReplaceAll(text, "\n", "\nremote: ")
}

// plain makes a server's words safe for a terminal and trims them.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s[:min(len(s), maxMessage)])
	return strings.TrimSpace(s)
}
