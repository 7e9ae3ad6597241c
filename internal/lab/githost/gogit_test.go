package githost

import (
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"
)

// fetchWith fetches the branch with go-git's client, which the git target is made with.
func fetchWith(t *testing.T, h *Host, change func(*packp.UploadPackRequest)) *memory.Storage {
	t.Helper()
	at, err := transport.NewEndpoint(h.Remote)
	if err != nil {
		t.Fatal(err)
	}
	session, err := http.NewClient(nil).NewUploadPackSession(at, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	refs, err := session.AdvertisedReferencesContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req := packp.NewUploadPackRequestFromCapabilities(refs.Capabilities)
	req.Wants = []plumbing.Hash{refs.References["refs/heads/"+h.Branch]}
	for _, c := range []capability.Capability{capability.Shallow, capability.Filter, capability.NoProgress} {
		if !refs.Capabilities.Supports(c) {
			t.Fatalf("the server cannot %s", c)
		}
		if err := req.Capabilities.Set(c); err != nil {
			t.Fatal(err)
		}
	}
	change(req)
	res, err := session.UploadPack(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	store := memory.NewStorage()
	if err := packfile.UpdateObjectStorage(store, sideband.NewDemuxer(sideband.Sideband64k, res)); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestGoGitFetches(t *testing.T) {
	h := start(t, Options{})
	for _, content := range []string{"1", "2"} {
		if err := h.Edit(t.Context(), map[string][]byte{"a/index.html": []byte(content), "b": []byte("bb")}); err != nil {
			t.Fatal(err)
		}
	}
	all := fetchWith(t, h, func(*packp.UploadPackRequest) {})
	if len(all.Commits) != 2 || len(all.Trees) != 4 || len(all.Blobs) != 3 {
		t.Errorf("all: %d commits, %d trees, %d blobs; want 2, 4, 3", len(all.Commits), len(all.Trees), len(all.Blobs))
	}
	for _, c := range []struct {
		filter                packp.Filter
		commits, trees, blobs int
	}{
		{"blob:none", 1, 2, 0}, {"tree:0", 1, 0, 0}, {"tree:1", 1, 1, 0}, {"tree:2", 1, 2, 1}, {"tree:9", 1, 2, 2},
		{"blob:limit=2", 1, 2, 1}, {"blob:limit=1k", 1, 2, 2},
	} {
		got := fetchWith(t, h, func(r *packp.UploadPackRequest) { r.Depth, r.Filter = packp.DepthCommits(1), c.filter })
		if len(got.Commits) != c.commits || len(got.Trees) != c.trees || len(got.Blobs) != c.blobs {
			t.Errorf("%s: %d commits, %d trees, %d blobs; want %d, %d, %d", c.filter,
				len(got.Commits), len(got.Trees), len(got.Blobs), c.commits, c.trees, c.blobs)
		}
	}
}
