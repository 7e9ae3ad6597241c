// Package push writes to one repository of a registry with as few requests as the OCI distribution
// specification allows: two for a blob, one for a manifest. The library's own pusher takes four for a
// blob, and asks for each blob of an image, those of earlier pushes too.
package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/internal/wait"
)

// Options are how requests are sent.
type Options struct {
	Transport http.RoundTripper
	Keychain  authn.Keychain
	UserAgent string
	Backoff   remote.Backoff   // between attempts
	Repeat    func(error) bool // whether a request is repeated after the error
	Sources   []name.Repository
}

// Session writes to one repository. It logs in at its first request, and is safe for concurrent use.
type Session struct {
	repo    name.Repository
	options Options

	mu      sync.Mutex // guards clients
	clients map[string]*http.Client
}

// New returns a Session for a repository. It asks nothing yet. Blobs may be mounted from the sources
// that are in the same registry.
func New(repo name.Repository, o Options) *Session {
	return &Session{repo: repo, options: o, clients: map[string]*http.Client{}}
}

// Blob is what a layer knows of itself.
type Blob interface {
	Digest() (v1.Hash, error)
	Size() (int64, error)
	Compressed() (io.ReadCloser, error)
}

// Bytes is a blob in memory.
type Bytes []byte

// Digest returns the hash of the bytes.
func (b Bytes) Digest() (v1.Hash, error) {
	digest, _, err := v1.SHA256(bytes.NewReader(b))
	return digest, err
}

// Size returns how many bytes there are.
func (b Bytes) Size() (int64, error) { return int64(len(b)), nil }

// Compressed reads the bytes as they are.
func (b Bytes) Compressed() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }

// Has reports whether the repository holds a blob.
func (s *Session) Has(ctx context.Context, digest v1.Hash) (has bool, err error) {
	err = s.repeated(ctx, transport.PushScope, func(c *http.Client) error {
		resp, err := s.send(ctx, c, http.MethodHead, s.url("blobs/"+digest.String()), nil)
		if err == nil {
			has = resp.StatusCode == http.StatusOK
			err = finish(resp, http.StatusOK, http.StatusNotFound)
		}
		return err
	})
	return has, err
}

// Send stores a blob: mounted from another repository of the registry where it can, "" for none.
func (s *Session) Send(ctx context.Context, b Blob, from string) error {
	digest, err := b.Digest()
	if err != nil {
		return err
	}
	size, err := b.Size()
	if err != nil {
		return err
	}
	return s.repeated(ctx, transport.PushScope, func(c *http.Client) error {
		location, err := s.begin(ctx, c, digest, from)
		if err != nil && from != "" && ctx.Err() == nil { // some registries refuse a mount that they cannot make
			location, err = s.begin(ctx, c, digest, "")
		}
		if err != nil || location == nil {
			return err
		}
		query := location.Query()
		query.Set("digest", digest.String())
		location.RawQuery = query.Encode()
		return s.store(ctx, c, location, size, b.Compressed)
	})
}

// begin starts an upload, and returns where the blob is to be sent; nil where it was mounted.
func (s *Session) begin(ctx context.Context, c *http.Client, digest v1.Hash, from string) (*url.URL, error) {
	u := s.url("blobs/uploads/")
	if from != "" {
		u.RawQuery = url.Values{"mount": {digest.String()}, "from": {from}}.Encode()
	}
	resp, err := s.send(ctx, c, http.MethodPost, u, nil)
	if err != nil {
		return nil, err
	}
	location := resp.Header.Get("Location")
	if err := finish(resp, http.StatusCreated, http.StatusAccepted); err != nil || resp.StatusCode == http.StatusCreated {
		return nil, err
	}
	next, err := resp.Request.URL.Parse(location)
	if err != nil || location == "" {
		return nil, errors.Join(errors.New("the registry does not say where the blob is to be sent"), err)
	}
	return next, elsewhere(resp.Request.URL, next)
}

// store sends a blob as a whole.
func (s *Session) store(ctx context.Context, c *http.Client, to *url.URL, size int64, content func() (io.ReadCloser, error)) error {
	body, err := content()
	if err != nil {
		return err
	}
	resp, err := s.send(ctx, c, http.MethodPut, to, &payload{body, content, size, "application/octet-stream"})
	if err != nil {
		return err
	}
	return finish(resp, http.StatusCreated, http.StatusOK, http.StatusNoContent)
}

// Manifest stores a manifest under a tag or its digest.
func (s *Session) Manifest(ctx context.Context, under string, mediaType types.MediaType, raw []byte) error {
	content := Bytes(raw).Compressed
	return s.repeated(ctx, transport.PushScope, func(c *http.Client) error {
		body, _ := content() // which cannot fail
		resp, err := s.send(ctx, c, http.MethodPut, s.url("manifests/"+under), &payload{body, content, int64(len(raw)), string(mediaType)})
		if err != nil {
			return err
		}
		return finish(resp, http.StatusCreated, http.StatusOK, http.StatusAccepted)
	})
}

// Tagged stores a manifest under several tags, the first one first: with one request where the registry
// can do that (distribution-spec: tag parameters), else with one for each.
func (s *Session) Tagged(ctx context.Context, tags []string, mediaType types.MediaType, raw []byte) error {
	var done []string
	if len(tags) > 1 {
		var err error
		if done, err = s.atOnce(ctx, tags, mediaType, raw); err != nil && !isRefusal(err) {
			return err
		}
	}
	for _, tag := range tags {
		if slices.Contains(done, tag) {
			continue
		}
		if err := s.Manifest(ctx, tag, mediaType, raw); err != nil {
			return err
		}
	}
	return nil
}

// atOnce stores a manifest under its digest and tags, and returns the tags that the registry took.
func (s *Session) atOnce(ctx context.Context, tags []string, mediaType types.MediaType, raw []byte) (done []string, err error) {
	digest, err := Bytes(raw).Digest()
	if err != nil {
		return nil, err
	}
	to := s.url("manifests/" + digest.String())
	to.RawQuery = url.Values{"tag": tags}.Encode()
	err = s.repeated(ctx, transport.PushScope, func(c *http.Client) error {
		body, _ := Bytes(raw).Compressed() // which cannot fail
		resp, err := s.send(ctx, c, http.MethodPut, to, &payload{body, Bytes(raw).Compressed, int64(len(raw)), string(mediaType)})
		if err != nil {
			return err
		}
		for _, line := range resp.Header.Values("OCI-Tag") {
			for tag := range strings.SplitSeq(line, ",") {
				done = append(done, strings.TrimSpace(tag))
			}
		}
		return finish(resp, http.StatusCreated, http.StatusOK, http.StatusAccepted)
	})
	return done, err
}

// isRefusal reports whether the registry answered that it does not take the request as it is.
func isRefusal(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode/100 == 4 &&
		answer.StatusCode != http.StatusUnauthorized && answer.StatusCode != http.StatusForbidden
}

// Delete deletes a tag or a manifest.
func (s *Session) Delete(ctx context.Context, under string) error {
	return s.repeated(ctx, transport.DeleteScope, func(c *http.Client) error {
		resp, err := s.send(ctx, c, http.MethodDelete, s.url("manifests/"+under), nil)
		if err != nil {
			return err
		}
		return finish(resp, http.StatusOK, http.StatusAccepted)
	})
}

// repeated does something again while it fails for a reason that may pass.
func (s *Session) repeated(ctx context.Context, scope string, do func(*http.Client) error) error {
	pause := s.options.Backoff
	for {
		c, err := s.client(ctx, scope)
		if err == nil {
			err = do(c)
		}
		if err == nil || ctx.Err() != nil || pause.Steps <= 1 || !s.options.Repeat(err) {
			return errors.Join(ctx.Err(), err)
		}
		if err := wait.Sleep(ctx, pause.Step()); err != nil {
			return err
		}
	}
}

// client logs in where that was not done yet.
func (s *Session) client(ctx context.Context, scope string) (*http.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.clients[scope]; ok {
		return c, nil
	}
	auth, err := authn.Resolve(ctx, s.options.Keychain, s.repo)
	if err != nil {
		return nil, err
	}
	scopes := []string{s.repo.Scope(scope)}
	for _, from := range s.options.Sources {
		scopes = append(scopes, from.Scope(transport.PullScope))
	}
	base := transport.NewRetry(transport.NewUserAgent(s.options.Transport, s.options.UserAgent),
		transport.WithRetryBackoff(s.options.Backoff), transport.WithRetryPredicate(s.options.Repeat),
		transport.WithRetryStatusCodes(http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, cloudflareTimeout))
	session, err := transport.NewWithContext(ctx, s.repo.Registry, auth, base, scopes)
	if err != nil {
		return nil, err
	}
	c := &http.Client{Transport: session, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return errors.New("the registry redirects without end")
		}
		return elsewhere(via[0].URL, req.URL)
	}}
	s.clients[scope] = c
	return c, nil
}

const (
	maxRedirects      = 10
	cloudflareTimeout = 522 // Cloudflare could not connect to the registry behind it
)

// elsewhere refuses to send anything to an address of a private network that a registry on another
// host names: it is not the registry's.
func elsewhere(registry, next *url.URL) error {
	ip := net.ParseIP(next.Hostname())
	if ip == nil || next.Hostname() == registry.Hostname() {
		return nil
	}
	if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() {
		return fmt.Errorf("the registry %s names the private address %s to send to", registry.Host, next.Host)
	}
	return nil
}

func (s *Session) url(below string) *url.URL {
	return &url.URL{Scheme: s.repo.Scheme(), Host: s.repo.RegistryStr(), Path: "/v2/" + s.repo.RepositoryStr() + "/" + below}
}

// payload is a body that can be sent again.
type payload struct {
	body  io.ReadCloser
	again func() (io.ReadCloser, error)
	size  int64
	kind  string
}

func (s *Session) send(ctx context.Context, c *http.Client, method string, to *url.URL, p *payload) (*http.Response, error) {
	var body io.Reader
	if p != nil {
		body = p.body
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), body)
	if err != nil {
		return nil, err
	}
	if p != nil {
		req.ContentLength, req.GetBody = p.size, p.again
		req.Header.Set("Content-Type", p.kind)
	}
	return c.Do(req)
}

// maxRest bounds what is read of an answer that is not needed, so that its connection can be used again.
const maxRest = 64 << 10

// finish ends an answer, and gives an error for other statuses than those.
func finish(resp *http.Response, statuses ...int) error {
	defer resp.Body.Close()
	err := transport.CheckError(resp, statuses...)
	_, _ = io.CopyN(io.Discard, resp.Body, maxRest) // what cannot be read costs a connection
	return err
}
