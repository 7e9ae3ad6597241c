package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"mirror/internal/command"
	"mirror/internal/netname"
	"mirror/targets/git/internal/credentials"
)

// httpRemote speaks git's smart HTTP protocol: a GET for the advertisement, a POST for
// the request. See gitprotocol-http(5).
type httpRemote struct {
	base    *url.URL // without credentials
	headers http.Header
	client  *http.Client
	source  *credentials.Source // nil where no other login than ours may be sent
	fixed   bool                // the login is the config's

	mu    sync.Mutex // guards what follows, and source
	login credentials.Login
	first credentials.Login // that of the config, which may be a user name alone
	found bool              // login is source's
}

func newHTTPRemote(place *Place, o Options) (*httpRemote, error) {
	bare := *place
	bare.User, bare.Password = "", ""
	base, err := url.Parse(strings.TrimSuffix(bare.String(), "/"))
	if err != nil {
		return nil, errAddress
	}
	r := &httpRemote{base: base, login: credentials.Login{User: place.User, Password: place.Password}}
	if o.Token != "" {
		r.login.Password = o.Token
		if r.login.User == "" {
			r.login.User = "x-access-token"
		}
	}
	r.first, r.fixed = r.login, r.login.Password != ""
	options := credentials.Options{Getenv: o.Getenv, Git: o.Git, Secret: o.Secret}
	switch {
	case base.Scheme == "https" || netname.IsLoopback(base.Hostname()):
		withUser := *base
		if r.login.User != "" {
			withUser.User = url.User(r.login.User)
		}
		r.source = credentials.NewSource(&withUser, options)
		r.headers = credentials.Headers(&withUser, options)
	case r.fixed:
		return nil, fmt.Errorf("credentials for %s would travel in clear (hint: use https)", base.Hostname())
	}
	r.client = &http.Client{Transport: o.Transport, CheckRedirect: r.checkRedirect}
	if o.Transport == nil {
		r.client.Transport, err = transportFor(base, o)
	}
	return r, err
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

// maxLogins is how many logins one request tries.
const maxLogins = 4

// do sends a request with the login that was good before: a server that wants one would else have
// the pack sent twice. Where it is refused, the netrc file and git's credential helpers are asked.
func (r *httpRemote) do(req *http.Request) (*http.Response, error) {
	login := r.current()
	for tried := 1; ; tried++ {
		resp, err := r.send(req, login)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.base, netname.WithoutURL(err))
		}
		if resp.StatusCode == http.StatusOK {
			r.accepted(req.Context(), login)
			return resp, nil
		}
		next, found, err := r.nextLogin(resp, req, login)
		if !found || tried == maxLogins {
			defer resp.Body.Close()
			return nil, r.statusError(resp, err)
		}
		_, _ = io.CopyN(io.Discard, resp.Body, command.MaxWords) // only the connection's reuse depends on it
		resp.Body.Close()
		login = next
		if req, err = again(req); err != nil {
			return nil, err
		}
	}
}

func (r *httpRemote) current() credentials.Login {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.login
}

func (r *httpRemote) accepted(ctx context.Context, login credentials.Login) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.login == login && r.found {
		r.source.Confirm(ctx)
	}
}

// nextLogin is another login to try after a refusal: one that another request has found in the
// meantime, or the next that the user's files and helpers know.
func (r *httpRemote) nextLogin(resp *http.Response, req *http.Request, refused credentials.Login) (credentials.Login, bool, error) {
	if resp.StatusCode != http.StatusUnauthorized || r.fixed || r.source == nil {
		return credentials.Login{}, false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.login != refused {
		return r.login, true, nil
	}
	var err error
	if r.login, r.found, err = r.source.Next(req.Context()); !r.found {
		r.login = r.first
	}
	return r.login, r.found, err
}

// again is a request that was sent, to be sent once more.
func again(req *http.Request) (*http.Request, error) {
	next := req.Clone(req.Context())
	if req.GetBody == nil {
		return next, nil
	}
	body, err := req.GetBody()
	next.Body = body
	return next, err
}

func (r *httpRemote) send(req *http.Request, login credentials.Login) (*http.Response, error) {
	for name, values := range r.headers {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("User-Agent", "git/mirror") // some hosts look for "git/"
	if login.Password != "" {
		req.SetBasicAuth(login.User, login.Password)
	}
	return r.client.Do(req)
}

// statusError is the server's refusal in its own words. failed is why no other login was found, or nil.
func (r *httpRemote) statusError(resp *http.Response, failed error) error {
	text := fmt.Sprintf("%s answers %s", r.base, resp.Status)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, command.MaxWords)) // a part is better than nothing
		if said := command.Plain(string(body)); said != "" {
			text += ": " + said
		}
	}
	if failed != nil {
		text += "; " + command.Plain(failed.Error())
	}
	return errors.New(text + r.statusHint(resp.StatusCode))
}

func (r *httpRemote) statusHint(status int) string {
	switch {
	case status == http.StatusUnauthorized && r.source == nil:
		return " (hint: it wants a login, which would travel in clear: use https)"
	case status == http.StatusUnauthorized && !r.fixed:
		return " (hint: token_env may name a variable with a token; without it the login is taken from ~/.netrc and git's credential helpers, and none was good)"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return " (hint: token_env must name a variable with a token that may write to the repository)"
	case status == http.StatusNotFound:
		return " (hint: the repository does not exist, or the token may not see it)"
	case status == http.StatusProxyAuthRequired:
		return " (hint: the proxy wants a login, see http.proxy in git-config(1))"
	}
	return ""
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
	_, _ = io.CopyN(io.Discard, c.refs, command.MaxWords) // only the connection's reuse depends on it
	return c.refs.Close()
}
