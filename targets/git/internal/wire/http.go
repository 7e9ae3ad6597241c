package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"mirror/internal/netname"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// httpRemote speaks git's smart HTTP protocol: a GET for the advertisement, a POST for
// the request. See gitprotocol-http(5).
type httpRemote struct {
	base   *url.URL // without credentials
	login  Login
	client *http.Client
}

func newHTTPRemote(place *transport.Endpoint, rt http.RoundTripper, l Login) (*httpRemote, error) {
	bare := *place
	bare.User, bare.Password = "", ""
	base, err := url.Parse(strings.TrimSuffix(bare.String(), "/"))
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if rt == nil {
		rt = ownTransport(silence)
	}
	r := &httpRemote{base: base, login: l}
	r.client = &http.Client{Transport: rt, CheckRedirect: r.checkRedirect}
	return r, nil
}

const maxRedirects = 5

// checkRedirect follows a repository that moved on its own host, and never elsewhere.
func (r *httpRemote) checkRedirect(req *http.Request, via []*http.Request) error {
	same := req.URL.Scheme == r.base.Scheme && req.URL.Host == r.base.Host
	safer := req.URL.Scheme == "https" && r.base.Scheme == "http" && req.URL.Hostname() == r.base.Hostname()
	if req.Method != http.MethodGet || len(via) > maxRedirects || !same && !safer {
		return fmt.Errorf("the server sends us on to %s (hint: set url to the repository's new address, if you trust it)",
			req.URL.Redacted())
	}
	return nil
}

type httpConversation struct {
	remote  *httpRemote
	base    string // where redirects have led to
	service Service
	refs    io.ReadCloser
}

func (r *httpRemote) dial(ctx context.Context, s Service) (conversation, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base.String()+infoRefs+string(s), nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.do(req)
	if err != nil {
		return nil, err
	}
	if want := "application/x-" + string(s) + "-advertisement"; resp.Header.Get("Content-Type") != want {
		resp.Body.Close()
		return nil, fmt.Errorf("%s answers, but not as a git server (hint: is the url the one that git clones from?)", r.base)
	}
	base, _, _ := strings.Cut(resp.Request.URL.String(), infoRefs)
	return &httpConversation{remote: r, base: base, service: s, refs: resp.Body}, nil
}

const infoRefs = "/info/refs?service="

// do sends a request with our credentials, unasked: a server that wants them would else
// have the pack sent twice.
func (r *httpRemote) do(req *http.Request) (*http.Response, error) {
	req.Header.Set("User-Agent", "git/mirror") // some hosts look for "git/"
	if r.login.User != "" || r.login.Password != "" {
		req.SetBasicAuth(r.login.User, r.login.Password)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.base, netname.WithoutURL(err))
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, r.statusError(resp)
	}
	return resp, nil
}

// statusError is the server's refusal in its own words.
func (r *httpRemote) statusError(resp *http.Response) error {
	text := fmt.Sprintf("%s answers %s", r.base, resp.Status)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxMessage)) // a part is better than nothing
		if said := plain(string(body)); said != "" {
			text += ": " + said
		}
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		text += " (hint: token_env must name a variable with a token that may write to the repository)"
	case http.StatusNotFound:
		text += " (hint: the repository does not exist, or the token may not see it)"
	}
	return errors.New(text)
}

func (c *httpConversation) advertisement() io.Reader { return c.refs }

func (c *httpConversation) exchange(ctx context.Context, r request) (io.ReadCloser, error) {
	target := c.base + "/" + string(c.service)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, io.NopCloser(r.reader()))
	if err != nil {
		return nil, err
	}
	// A known length: CGI servers and many proxies take no chunked body.
	req.ContentLength = r.length()
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(r.reader()), nil }
	req.Header.Set("Content-Type", "application/x-"+string(c.service)+"-request")
	req.Header.Set("Accept", "application/x-"+string(c.service)+"-result")
	resp, err := c.remote.do(req)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// Close ends the conversation. What is left of the advertisement is read, so that the
// connection can be used again.
func (c *httpConversation) Close() error {
	_, _ = io.CopyN(io.Discard, c.refs, maxMessage) // only the connection's reuse depends on it
	return c.refs.Close()
}
