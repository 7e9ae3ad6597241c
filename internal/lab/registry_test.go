package lab

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/internal/static"
)

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
	l := start(t, Options{})
	if err := l.Registry.Edit(t.Context(), map[string][]byte{"index.html": []byte("x")}); err != nil {
		t.Fatal(err)
	}
	var image struct{ Layers []string }
	if err := json.Unmarshal([]byte(skopeo(t, "inspect", "--tls-verify=false", "docker://"+l.Registry.Image)), &image); err != nil {
		t.Fatal(err)
	}
	if len(image.Layers) != 1 {
		t.Errorf("skopeo sees layers %v, want one", image.Layers)
	}
	copied := strings.TrimSuffix(l.Registry.Image, "site:latest") + "copy:v1"
	skopeo(t, "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://"+l.Registry.Image, "docker://"+copied)
	if before := l.Registry.Requests(); before != 0 {
		t.Errorf("%d requests counted at the origin: those to the registry do not count", before)
	}
}

func TestRuntimeLag(t *testing.T) {
	const lag = 300 * time.Millisecond
	l := start(t, Options{})
	if err := l.Registry.Edit(t.Context(), map[string][]byte{"index.html": []byte("old")}); err != nil {
		t.Fatal(err)
	}
	l.Registry.SetLag(lag, lag/10)
	asked := time.Now()
	pushSite(t, l, "new")
	wantPage(t, l.Registry.Origin, "", 200, "old")
	settle(t, l.Registry.Origin)
	if took := time.Since(asked); took < lag {
		t.Errorf("deployed after %s, want %s or more", took, lag)
	}
	wantPage(t, l.Registry.Origin, "", 200, "new")
}

func TestDeletedTagTakesTheSiteDown(t *testing.T) {
	l := start(t, Options{})
	if err := l.Registry.Edit(t.Context(), map[string][]byte{"index.html": []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := remote.Delete(l.Registry.ref, remote.WithTransport(l.Registry.client)); err != nil {
		t.Fatal(err)
	}
	settle(t, l.Registry.Origin)
	wantPage(t, l.Registry.Origin, "", 503, "*")
}

// pushSite pushes an image of one page under the tag.
func pushSite(t *testing.T, l *Lab, content string) {
	t.Helper()
	layer, err := layerOf("site", map[string][]byte{"index.html": []byte(content)}, types.OCIManifestSchema1)
	if err != nil {
		t.Fatal(err)
	}
	img, err := static.Fetch(t.Context(), l.Registry.ref, l.Registry.client)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, layer); err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(l.Registry.ref, img, remote.WithTransport(l.Registry.client)); err != nil {
		t.Fatal(err)
	}
}

func TestRuntimeKeepsTheOldSiteOfABadImage(t *testing.T) {
	l := start(t, Options{})
	if err := l.Registry.Edit(t.Context(), map[string][]byte{"index.html": []byte("old")}); err != nil {
		t.Fatal(err)
	}
	if err := l.Registry.Edit(t.Context(), map[string][]byte{"index.html": nil}); err == nil {
		t.Error("an image without a site was deployed")
	}
	wantPage(t, l.Registry.Origin, "", 200, "old")
	pushSite(t, l, "new")
	settle(t, l.Registry.Origin)
	wantPage(t, l.Registry.Origin, "", 200, "new")
}
