package registryhost

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/internal/lab/edge/edgetest"

	"mirror/internal/static"
)

// start starts a host until the test ends.
func start(t *testing.T, o Options) *Host {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := New(ctx, t.TempDir(), o)
	t.Cleanup(h.Close)
	t.Cleanup(cancel)
	if err := h.Serve(edgetest.Listen(t)); err != nil {
		t.Fatal(err)
	}
	edgetest.Serve(t, h.Origin)
	return h
}

// skopeo runs the real client.
func skopeo(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("skopeo")
	if err != nil {
		if os.Getenv("MIRROR_REQUIRE_REAL") != "" {
			t.Fatal(err)
		}
		t.Skip("needs the skopeo program")
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("skopeo %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestRealClientReadsTheRegistry(t *testing.T) {
	h := start(t, Options{})
	if err := h.Edit(t.Context(), map[string][]byte{"index.html": []byte("x")}); err != nil {
		t.Fatal(err)
	}
	var image struct{ Layers []string }
	if err := json.Unmarshal([]byte(skopeo(t, "inspect", "--tls-verify=false", "docker://"+h.Image)), &image); err != nil {
		t.Fatal(err)
	}
	if len(image.Layers) != 1 {
		t.Errorf("skopeo sees layers %v, want one", image.Layers)
	}
	copied := strings.TrimSuffix(h.Image, "site:latest") + "copy:v1"
	skopeo(t, "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://"+h.Image, "docker://"+copied)
	if before := h.Requests(); before != 0 {
		t.Errorf("%d requests counted at the origin: those to the registry do not count", before)
	}
}

func TestRuntimeLag(t *testing.T) {
	const lag = 300 * time.Millisecond
	h := start(t, Options{})
	if err := h.Edit(t.Context(), map[string][]byte{"index.html": []byte("old")}); err != nil {
		t.Fatal(err)
	}
	h.SetLag(lag, lag/10)
	asked := time.Now()
	pushSite(t, h, "new")
	edgetest.Settle(t, h.Origin)
	if took := time.Since(asked); took < lag {
		t.Errorf("deployed after %s, want %s or more", took, lag)
	}
	edgetest.WantPage(t, h.Origin, "", 200, "new")
	h.SetLag(time.Hour, 0)
	pushSite(t, h, "newest")
	edgetest.WantPage(t, h.Origin, "", 200, "new")
}

func TestDeletedTagTakesTheSiteDown(t *testing.T) {
	h := start(t, Options{})
	if err := h.Edit(t.Context(), map[string][]byte{"index.html": []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := remote.Delete(h.ref, remote.WithTransport(h.client)); err != nil {
		t.Fatal(err)
	}
	edgetest.Settle(t, h.Origin)
	edgetest.WantPage(t, h.Origin, "", 503, "*")
}

// pushSite pushes an image of one page under the tag.
func pushSite(t *testing.T, h *Host, content string) {
	t.Helper()
	layer, err := layerOf("site", map[string][]byte{"index.html": []byte(content)}, types.OCIManifestSchema1)
	if err != nil {
		t.Fatal(err)
	}
	img, err := static.Fetch(t.Context(), h.ref, h.client)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, layer); err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(h.ref, img, remote.WithTransport(h.client)); err != nil {
		t.Fatal(err)
	}
}

func TestRuntimeKeepsTheOldSiteOfABadImage(t *testing.T) {
	h := start(t, Options{})
	if err := h.Edit(t.Context(), map[string][]byte{"index.html": []byte("old")}); err != nil {
		t.Fatal(err)
	}
	if err := h.Edit(t.Context(), map[string][]byte{"index.html": nil}); err == nil {
		t.Error("an image without a site was deployed")
	}
	edgetest.WantPage(t, h.Origin, "", 200, "old")
	pushSite(t, h, "new")
	edgetest.Settle(t, h.Origin)
	edgetest.WantPage(t, h.Origin, "", 200, "new")
}
