package git

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/server"

	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/git/internal/wire"
)

// goGit is go-git's own server over HTTP: no filter, no shallow fetch, no side band and no
// thin packs, as small hosts built with it have none.
type goGit struct{ server transport.Transport }

func (g goGit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var err error
	dir, verb := path.Split(r.URL.Path)
	switch {
	case r.Method == http.MethodGet:
		err = g.advertise(w, path.Dir(path.Clean(dir)), wire.Service(r.URL.Query().Get("service")))
	case verb == string(wire.UploadPack):
		err = g.upload(w, r, path.Clean(dir))
	default:
		err = g.receive(w, r, path.Clean(dir))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (g goGit) session(repo string, s wire.Service) (transport.Session, error) {
	place := &transport.Endpoint{Protocol: "file", Path: repo}
	if s == wire.UploadPack {
		return g.server.NewUploadPackSession(place, nil)
	}
	return g.server.NewReceivePackSession(place, nil)
}

func (g goGit) advertise(w http.ResponseWriter, repo string, s wire.Service) error {
	session, err := g.session(repo, s)
	if err != nil {
		return err
	}
	adv, err := session.AdvertisedReferences()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-"+string(s)+"-advertisement")
	adv.Prefix = [][]byte{[]byte("# service=" + string(s)), pktline.Flush}
	return adv.Encode(w)
}

func (g goGit) upload(w io.Writer, r *http.Request, repo string) error {
	req := packp.NewUploadPackRequest()
	if err := req.UploadRequest.Decode(r.Body); err != nil {
		return err
	}
	s, err := g.session(repo, wire.UploadPack)
	if err != nil {
		return err
	}
	resp, err := s.(transport.UploadPackSession).UploadPack(r.Context(), req)
	if err != nil {
		return err
	}
	return resp.Encode(w)
}

func (g goGit) receive(w io.Writer, r *http.Request, repo string) error {
	req := packp.NewReferenceUpdateRequest()
	if err := req.Decode(r.Body); err != nil {
		return err
	}
	s, err := g.session(repo, wire.ReceivePack)
	if err != nil {
		return err
	}
	report, err := s.(transport.ReceivePackSession).ReceivePack(r.Context(), req)
	if report == nil {
		return err
	}
	return report.Encode(w) // it tells the error too
}

// TestPoorServer publishes to a server that can do the least. It does not move refs
// atomically, so the suite's readers would see that.
func TestPoorServer(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	r.put(t, map[string][]byte{"index.html": []byte("theirs"), "CNAME": []byte("x.example\n")})
	h := httptest.NewServer(goGit{server.NewServer(server.NewFilesystemLoader(osfs.New("/")))})
	defer h.Close()
	fresh := func() *Target { return open(t, Config{URL: h.URL + filepath.ToSlash(r.dir)}, targets.Env{}) }
	publish(t, fresh(), v1)
	swap := publish(t, fresh(), v2)
	r.want(t, "index.html", "two")
	r.want(t, "CNAME", "x.example\n")
	if err := fresh().Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	r.want(t, "index.html", "one")
	r.put(t, map[string][]byte{"index.html": []byte("tampered")})
	held, err := fresh().ReadBack(t.Context())
	if err != nil || len(held) != len(v1) {
		t.Errorf("held: got %+v, %v; want the site's %d files", held, err, len(v1))
	}
	r.fsck(t)
}

// TestThinRefused has a server that promises to complete deltas and cannot.
func TestThinRefused(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	h := httptest.NewServer(anotherAgent{goGit{server.NewServer(server.NewFilesystemLoader(osfs.New("/")))}})
	defer h.Close()
	c := Config{URL: h.URL + filepath.ToSlash(r.dir)}
	few := shapes[0]
	few.files = 300 // a tree of a delta's worth
	publish(t, open(t, c, targets.Env{}), few.site(100, 1))
	next := few.site(100, 2)
	publish(t, open(t, c, targets.Env{}), next)
	r.want(t, "00000.html", next["00000.html"])
	r.fsck(t)
}

// anotherAgent hides that the server is go-git's.
type anotherAgent struct{ http.Handler }

func (a anotherAgent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		a.Handler.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	a.Handler.ServeHTTP(rec, r)
	w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
	_, _ = io.WriteString(w, strings.ReplaceAll(rec.Body.String(), "agent=go-git", "agent=gg-git")) // the client notices
}
