package githost

import (
	"bufio"
	"compress/gzip"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

const (
	uploadPack  = "git-upload-pack"
	receivePack = "git-receive-pack"

	// maxPush bounds the body of a push, and maxFetch that of a fetch's request.
	maxPush  = 8 << 30
	maxFetch = 64 << 20
)

// gitServer speaks git's smart HTTP protocol, version 0
// (https://git-scm.com/docs/http-protocol) for one repository.
type gitServer struct {
	repo  *repository
	path  string // the repository's URL path
	token string // the password asked for, "" for none
	log   *slog.Logger
}

// ServeHTTP answers a git client.
func (g *gitServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.allowed(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="mirror lab"`)
		http.Error(w, "a token is needed", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	switch r.Method + " " + r.URL.Path {
	case "GET " + g.path + "/info/refs":
		g.advertise(w, r)
	case "POST " + g.path + "/" + uploadPack:
		g.rpc(w, r, uploadPack, maxFetch, g.repo.upload)
	case "POST " + g.path + "/" + receivePack:
		g.rpc(w, r, receivePack, maxPush, g.repo.receive)
	default:
		http.Error(w, "no such repository", http.StatusNotFound)
	}
}

func (g *gitServer) allowed(r *http.Request) bool {
	if g.token == "" {
		return true
	}
	_, password, _ := r.BasicAuth()
	return subtle.ConstantTimeCompare([]byte(password), []byte(g.token)) == 1
}

// rpc gives one exchange its body, unpacked and bounded, and its buffered answer.
func (g *gitServer) rpc(w http.ResponseWriter, r *http.Request, service string, limit int64, do func(io.Reader, *bufio.Writer) error) {
	if r.Header.Get("Content-Type") != "application/x-"+service+"-request" {
		http.Error(w, "not a git request", http.StatusUnsupportedMediaType)
		return
	}
	body := io.Reader(http.MaxBytesReader(w, r.Body, limit))
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, "the body is no gzip", http.StatusBadRequest)
			return
		}
		body = &bounded{unzipped, limit}
	}
	w.Header().Set("Content-Type", "application/x-"+service+"-result")
	out := bufio.NewWriterSize(w, 64<<10)
	if err := do(bufio.NewReaderSize(body, 64<<10), out); err != nil {
		g.log.Warn("a git client was refused", "service", service, "err", err)
		_ = writePacket(out, "ERR %s\n", err) // as far as it can still be told
	}
	_ = out.Flush() // an error means that the client has gone
}

// bounded fails, rather than ends, when more is read than allowed.
type bounded struct {
	r    io.Reader
	left int64
}

// Read reads on, and fails where the request becomes larger than allowed.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("the request is too large")
	}
	return n, err
}

// advertise lists the references and what the server can do.
func (g *gitServer) advertise(w http.ResponseWriter, r *http.Request) {
	service := r.URL.Query().Get("service")
	able := "agent=mirror-lab object-format=sha1 ofs-delta side-band-64k "
	switch service {
	case uploadPack:
		able += "multi_ack_detailed no-progress thin-pack shallow filter allow-tip-sha1-in-want allow-reachable-sha1-in-want"
	case receivePack:
		able += "report-status delete-refs atomic quiet"
	default:
		http.Error(w, "only git's smart protocol is spoken here", http.StatusForbidden)
		return
	}
	refs := g.repo.references()
	if service == uploadPack {
		if tip, ok := refs[g.repo.branch]; ok {
			refs[plumbing.HEAD] = tip
			able += " symref=HEAD:" + g.repo.branch.String()
		}
	}
	w.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
	out := bufio.NewWriter(w)
	_ = writePacket(out, "# service=%s\n", service) // bufio keeps the first error for Flush
	_ = writeFlush(out)
	g.list(out, refs, able)
	_ = writeFlush(out)
	_ = out.Flush() // an error means that the client has gone
}

// list writes the refs. Errors are left to the caller's Flush.
func (g *gitServer) list(out *bufio.Writer, refs map[plumbing.ReferenceName]plumbing.Hash, able string) {
	if len(refs) == 0 {
		_ = writePacket(out, "%s capabilities^{}\x00%s\n", plumbing.ZeroHash, able)
		return
	}
	for _, ref := range slices.Sorted(maps.Keys(refs)) { // HEAD sorts first
		line := refs[ref].String() + " " + ref.String()
		if able != "" {
			line, able = line+"\x00"+able, ""
		}
		_ = writePacket(out, "%s\n", line)
		if tag, err := object.GetTag(g.repo.objects, refs[ref]); err == nil {
			_ = writePacket(out, "%s %s^{}\n", tag.Target, ref)
		}
	}
}

// Serve has listen serve the repository to git clients. listen returns the base URL, without
// a slash at its end, from which h is served.
func (g *Host) Serve(listen func(h http.Handler) (string, error)) error {
	base, err := listen(&gitServer{repo: g.repo, path: repositoryPath, token: g.Token, log: g.log})
	g.Remote = base + repositoryPath
	return err
}
