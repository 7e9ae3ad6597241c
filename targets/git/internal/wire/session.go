package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"

	"mirror/internal/command"
	"mirror/targets/git/internal/objects"
)

// Session is a conversation whose advertisement was read.
type Session struct {
	conversation
	service Service
	Refs    map[plumbing.ReferenceName]plumbing.Hash
	Caps    *capability.List
	used    bool // the one exchange was made
}

// maxAdvertisement bounds what a server says of its refs, in bytes: about half a million.
const maxAdvertisement = 64 << 20

// Open begins a conversation and reads what the server has.
func Open(ctx context.Context, r Remote, s Service) (*Session, error) {
	c, err := r.dial(ctx, s)
	if err != nil {
		return nil, because(ctx, err)
	}
	out := &Session{conversation: c, service: s}
	adv := packp.NewAdvRefs()
	err = adv.Decode(&bounded{r: c.advertisement(), left: maxAdvertisement})
	if err != nil && !errors.Is(err, packp.ErrEmptyAdvRefs) {
		_ = c.Close() // explain tells
		return nil, because(ctx, fmt.Errorf("read the remote's refs: %w", out.explain(err)))
	}
	if f := adv.Capabilities.Get("object-format"); len(f) > 0 && f[0] != "sha1" {
		c.Close()
		return nil, fmt.Errorf("the repository's object format is %s, and only sha1 is spoken here", command.Plain(f[0]))
	}
	out.Caps, out.Refs = adv.Capabilities, make(map[plumbing.ReferenceName]plumbing.Hash, len(adv.References))
	for name, hash := range adv.References {
		out.Refs[plumbing.ReferenceName(name)] = hash
	}
	return out, nil
}

var errNoWord = errors.New("the server closed the connection without a word")

// explain puts what the program at the other end complained of before our own view of it.
func (s *Session) explain(err error) error {
	if errors.Is(err, packp.ErrEmptyInput) {
		err = errNoWord
	}
	if c, ok := s.conversation.(*stream); ok {
		return c.explain(err)
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

// Read fails when more bytes than the bound were read.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, objects.ErrTooMuch
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// CanFetch reports whether the session reads and has its one exchange still before it.
func (s *Session) CanFetch() bool { return s.service == UploadPack && !s.used }

// Fetch asks for the given commit, depth commits deep, and writes the pack to w. An empty
// filter asks for everything.
func (s *Session) Fetch(ctx context.Context, want plumbing.Hash, depth int, filter packp.Filter, w io.Writer) error {
	return s.FetchAll(ctx, Wish{Wants: []plumbing.Hash{want}, Depth: depth, Filter: filter}, maxPack, w)
}

// Wish is what a fetch asks for.
type Wish struct {
	Wants  []plumbing.Hash
	Depth  int          // commits; 0 for all of them
	Filter packp.Filter // "" for everything
}

// FetchAll asks for what is wished, and writes the pack, of limit bytes at most, to w.
func (s *Session) FetchAll(ctx context.Context, wanted Wish, limit int64, w io.Writer) error {
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

func (s *Session) uploadRequest(w Wish) *packp.UploadPackRequest {
	req := packp.NewUploadPackRequestFromCapabilities(s.Caps)
	for _, c := range []capability.Capability{capability.MultiACK, capability.MultiACKDetailed, capability.ThinPack} {
		req.Capabilities.Delete(c)
	}
	s.ask(req.Capabilities, capability.NoProgress)
	req.Wants = slices.Clone(w.Wants) // encoding them sorts them
	if w.Depth > 0 && s.ask(req.Capabilities, capability.Shallow) {
		req.Depth = packp.DepthCommits(w.Depth)
	}
	if w.Filter != "" && s.ask(req.Capabilities, capability.Filter) {
		req.Filter = w.Filter
	}
	return req
}

// ask requests a capability if the server has it, and reports whether it has.
func (s *Session) ask(list *capability.List, c capability.Capability) bool {
	if !s.Caps.Supports(c) {
		return false
	}
	return list.Set(c) == nil
}

// demux takes the data out of a stream that may carry messages too.
func (s *Session) demux(r io.Reader, messages io.Writer) io.Reader {
	var d *sideband.Demuxer
	switch {
	case s.Caps.Supports(capability.Sideband64k):
		d = sideband.NewDemuxer(sideband.Sideband64k, r)
	case s.Caps.Supports(capability.Sideband) && s.service == UploadPack:
		d = sideband.NewDemuxer(sideband.Sideband, r)
	default:
		return r
	}
	d.Progress = messages
	return d
}

// Push sends commands and a pack (nil where only refs are deleted), and reads what became
// of them. A refusal is a *RejectedError; after any other error the outcome is unknown.
func (s *Session) Push(ctx context.Context, pack *objects.Pack, sent func(int), commands ...*packp.Command) error {
	if !s.Caps.Supports(capability.ReportStatus) {
		return errors.New("the server does not report what became of a push, so nothing was sent")
	}
	req := packp.NewReferenceUpdateRequestFromCapabilities(s.Caps)
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
		r.pack, r.size = pack.File, pack.Size
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

func (s *Session) readReport(answer io.Reader) error {
	messages := &command.Words{}
	in := bufio.NewReader(&bounded{r: answer, left: maxReport})
	report := packp.NewReportStatus()
	if err := report.Decode(s.demux(in, messages)); err != nil {
		return fmt.Errorf("the server's report of the push: %w%s", s.explain(err), remote(messages.String()))
	}
	refused := &RejectedError{said: messages.String()}
	if report.UnpackStatus != "ok" {
		refused.Unpack = command.Plain(report.UnpackStatus)
		return refused
	}
	for _, c := range report.CommandStatuses {
		if err := c.Error(); err != nil {
			refused.refs = append(refused.refs, command.Plain(string(c.ReferenceName)+": "+c.Status))
		}
	}
	if len(refused.refs) > 0 {
		return refused
	}
	return nil
}
