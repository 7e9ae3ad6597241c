package githost

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/internal/lab/edge/edgetest"
)

func TestPushDeploys(t *testing.T) {
	h := start(t, Options{})
	dir := checkout(t, h)
	git(t, dir, "push", "-q", "origin", "HEAD")
	edgetest.Settle(t, h.Origin)
	edgetest.WantPage(t, h.Origin, "", 200, "home 2")
	edgetest.WantPage(t, h.Origin, "posts/1/%E9%A1%B5", 200, strings.Repeat("post 1\n", 500)) // as Pages serve it

	save(t, dir, "index.html", "home 3")
	commit(t, dir, "a small change: a thin pack with deltas")
	git(t, dir, "push", "-q", "origin", "HEAD")
	edgetest.Settle(t, h.Origin)
	edgetest.WantPage(t, h.Origin, "", 200, "home 3")

	git(t, dir, "push", "-q", "origin", "HEAD~1:refs/heads/side") // needs no object
	git(t, dir, "push", "-q", "-f", "origin", "HEAD~2:"+h.Branch)
	edgetest.Settle(t, h.Origin)
	edgetest.WantPage(t, h.Origin, "", 200, "home 1")

	git(t, dir, "push", "-q", "origin", ":"+h.Branch)
	edgetest.Settle(t, h.Origin)
	edgetest.WantPage(t, h.Origin, "", 404, "*")
	if got := git(t, dir, "ls-remote", "origin"); !strings.HasSuffix(got, "refs/heads/side") || strings.Contains(got, "\n") {
		t.Errorf("ls-remote = %q, want the side branch alone", got)
	}
}

func TestBigPush(t *testing.T) {
	h := start(t, Options{})
	dir := checkout(t, h)
	noise := make([]byte, 3<<20) // more than http.postBuffer: sent in chunks
	_, _ = rand.Read(noise)      // never fails
	save(t, dir, "noise.bin", string(noise))
	commit(t, dir, "noise")
	git(t, dir, "push", "-q", "origin", "HEAD")
	edgetest.Settle(t, h.Origin)
	edgetest.WantPage(t, h.Origin, "noise.bin", 200, string(noise))
	clone(t, h, "noise.bin", string(noise))
}

func TestToken(t *testing.T) {
	h := start(t, Options{Token: "secret-token"})
	dir := checkout(t, h)
	if out, err := tryGit(t, dir, "push", "-q", "origin", "HEAD"); err == nil {
		t.Errorf("a push without the token went through: %s", out)
	}
	u, err := url.Parse(h.Remote)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("x-access-token", h.Token)
	git(t, dir, "push", "-q", u.String(), "HEAD")
	edgetest.Settle(t, h.Origin)
	edgetest.WantPage(t, h.Origin, "", 200, "home 2")
}

// push sends a push by hand, as the real client never would.
func push(t *testing.T, h *Host, pack []byte, zip bool, commands ...string) string {
	t.Helper()
	var b bytes.Buffer
	for i, c := range commands {
		if i == 0 {
			c += "\x00report-status atomic"
		}
		fmt.Fprintf(&b, "%04x%s", len(c)+4, c)
	}
	b.WriteString("0000")
	b.Write(pack)
	if zip {
		plain := bytes.Clone(b.Bytes())
		b.Reset()
		w := gzip.NewWriter(&b)
		_, _ = w.Write(plain) // into memory
		_ = w.Close()
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", h.Remote+"/git-receive-pack", &b)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	if zip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return answer.String()
}

func TestReferenceMovesFromTheExpectedValueOnly(t *testing.T) {
	h := start(t, Options{})
	dir := checkout(t, h)
	git(t, dir, "push", "-q", "origin", "HEAD")
	head, parent, zero := git(t, dir, "rev-parse", "HEAD"), git(t, dir, "rev-parse", "HEAD~1"), plumbing.ZeroHash.String()
	empty := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00\x02\x9d\x08\x82;\xd8\xa8\xea\xb5\x10\xadj\xc7\\\x82<\xfd>\xd3\x1e")
	ref := "refs/heads/" + h.Branch
	for _, c := range []struct{ name, command, want string }{
		{"stale", parent + " " + head + " " + ref, "ng " + ref + " cannot lock ref"},
		{"as if new", zero + " " + parent + " " + ref, "ng " + ref + " cannot lock ref"},
		{"delete of a stale one", parent + " " + zero + " " + ref, "ng " + ref + " cannot lock ref"},
		{"unknown object", head + " " + strings.Repeat("12", 20) + " " + ref, "ng " + ref + " missing necessary objects"},
		{"bad name", zero + " " + head + " refs/heads/a..b", "ng refs/heads/a..b funny refname"},
		{"no reference", zero + " " + head + " HEAD", "ng HEAD funny refname"},
		{"below a branch", zero + " " + head + " " + ref + "/x", "ng " + ref + "/x cannot lock ref"},
		{"a tree as a branch", zero + " " + git(t, dir, "rev-parse", "HEAD^{tree}") + " refs/heads/t", "ng refs/heads/t a branch must"},
	} {
		if got := push(t, h, empty, false, c.command); !strings.Contains(got, c.want) {
			t.Errorf("%s: answer %q, want %q", c.name, got, c.want)
		}
	}
	if got := git(t, dir, "ls-remote", "origin", ref); got != head+"\t"+ref {
		t.Errorf("after the refusals: %q, want %s", got, head)
	}
	if got := push(t, h, empty, true, head+" "+parent+" "+ref); !strings.Contains(got, "ok "+ref) {
		t.Errorf("a move from the right value: %q", got)
	}
	got := push(t, h, empty, false, zero+" "+head+" refs/heads/new", head+" "+head+" "+ref)
	if !strings.Contains(got, "ng refs/heads/new atomic push failure") {
		t.Errorf("an atomic push with one stale command: %q", got)
	}
	if got := git(t, dir, "ls-remote", "origin"); strings.Contains(got, "refs/heads/new") {
		t.Errorf("the refused atomic push made a branch: %q", got)
	}
}

func TestBrokenPush(t *testing.T) {
	h := start(t, Options{})
	hash := strings.Repeat("12", 20)
	for _, pack := range []string{"", "PACK", "not a pack at all", "PACK\x00\x00\x00\x02\x00\x00\x00\x09"} {
		got := push(t, h, []byte(pack), false, plumbing.ZeroHash.String()+" "+hash+" refs/heads/x")
		if strings.Contains(got, "unpack ok") || !strings.Contains(got, "ng refs/heads/x unpacker error") {
			t.Errorf("pack %q: answer %q", pack, got)
		}
	}
}
