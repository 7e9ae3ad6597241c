package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"mirror/internal/atomicfile"
	"mirror/internal/command"
	"mirror/internal/netname"
	"mirror/internal/regular"
	"mirror/site"
)

// rolloutTimeout bounds one command or webhook.
const rolloutTimeout = 5 * time.Minute

// maxOutput is how much of a command's output or of an answer an error shows, in bytes.
const maxOutput = 4 << 10

// rollout makes what runs the image take the one that the tag names. It notes down what it
// owes before the tag moves, so that a crash between the two is made good.
type rollout struct {
	Rollout
	image  name.Tag
	client *http.Client
	journal

	exec time.Duration // how long a command may take
	log  *slog.Logger
}

func newRollout(c Rollout, image name.Tag, transport http.RoundTripper, state string, log *slog.Logger) *rollout {
	r := &rollout{Rollout: c, image: image, exec: rolloutTimeout, log: log}
	r.client = &http.Client{
		Transport: transport, Timeout: rolloutTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if state != "" {
		r.journal.path = filepath.Join(state, "rollout.json")
	}
	return r
}

func (r *rollout) configured() bool { return len(r.Exec) > 0 || r.Webhook != "" }

// expect notes that the image is going to be live and is to be rolled out.
func (r *rollout) expect(digest string) error {
	if !r.configured() {
		return nil
	}
	return r.journal.write(debt{Digest: digest})
}

// owed reports whether the image became live, or was about to, and was not rolled out.
func (r *rollout) owed(digest string) bool {
	return r.configured() && r.journal.read().Digest == digest
}

// settle rolls the image out if that is still owed.
func (r *rollout) settle(ctx context.Context, digest string, id site.ID) error {
	if !r.owed(digest) {
		return nil
	}
	return r.run(ctx, digest, id)
}

// undo rolls the earlier image out again if the later one's rollout, or its own, had begun.
func (r *rollout) undo(ctx context.Context, digest string, id site.ID) error {
	owed := r.journal.read()
	switch {
	case !r.configured() || owed.Digest == "":
		return nil
	case digest == "" || owed.Digest != digest && !owed.Begun:
		return r.journal.write(debt{})
	}
	return r.run(ctx, digest, id)
}

// forgive drops what is owed: there is no image any more that could be rolled out.
func (r *rollout) forgive() error {
	if !r.configured() {
		return nil
	}
	return r.journal.write(debt{})
}

// run rolls the image out. The tag names it already: that it cannot be noted down fails nothing,
// at worst the next commit rolls it out once more.
func (r *rollout) run(ctx context.Context, digest string, id site.ID) error {
	if !r.configured() {
		return nil
	}
	r.note(debt{Digest: digest, Begun: true})
	if err := r.command(ctx, digest, id); err != nil {
		return fmt.Errorf("rollout: %w", err)
	}
	if err := r.post(ctx, digest, id); err != nil {
		return fmt.Errorf("rollout: %w", err)
	}
	r.note(debt{})
	return nil
}

// note writes to the journal what may as well be lost.
func (r *rollout) note(d debt) {
	if err := r.journal.write(d); err != nil {
		r.log.Warn("the pending rollout could not be saved; an interrupted one is not resumed", "err", err)
	}
}

func (r *rollout) command(ctx context.Context, digest string, id site.ID) error {
	if len(r.Exec) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.exec)
	defer cancel()
	fill := strings.NewReplacer("{image}", r.image.Context().Name(), "{tag}", r.image.TagStr(), "{digest}", digest, "{release}", string(id))
	args := make([]string, len(r.Exec))
	for i, arg := range r.Exec {
		args[i] = fill.Replace(arg)
	}
	var out bytes.Buffer
	cmd := command.New(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := command.Run(ctx, cmd); err != nil {
		return fmt.Errorf("%s: %w: %s", args[0], err, tail(out.Bytes()))
	}
	return nil
}

// post tells the webhook. Its URL is often a secret: errors name its host alone.
func (r *rollout) post(ctx context.Context, digest string, id site.ID) error {
	if r.Webhook == "" {
		return nil
	}
	body, err := json.Marshal(map[string]string{"image": r.image.String(), "digest": digest, "release": string(id)})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Webhook, bytes.NewReader(body))
	if err != nil {
		return errors.New("webhook: not a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("webhook at %s: %w", req.URL.Host, netname.WithoutURL(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		return nil
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxOutput)) // what there is of it
	return fmt.Errorf("webhook at %s: %s: %s", req.URL.Host, resp.Status, tail(answer))
}

func tail(out []byte) string {
	return strings.TrimSpace(string(out[max(0, len(out)-maxOutput):]))
}

// debt is a rollout that is owed; the zero debt is none.
type debt struct {
	Digest string `json:"digest"`
	Begun  bool   `json:"begun"` // something may have been told of this image
}

// journal keeps the debt, in a file where there is a place for one.
type journal struct {
	path string

	mu   sync.Mutex
	last debt
}

func (j *journal) read() debt {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.path == "" {
		return j.last
	}
	var d debt
	text, err := regular.ReadFile(j.path, 1<<20)
	if err != nil || json.Unmarshal(text, &d) != nil {
		return debt{}
	}
	return d
}

func (j *journal) write(d debt) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last = d
	if j.path == "" {
		return nil
	}
	text, err := json.Marshal(d)
	if err == nil {
		err = atomicfile.WriteFile(j.path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("note the rollout: %w", err)
	}
	return nil
}
