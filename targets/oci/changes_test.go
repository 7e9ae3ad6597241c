package oci

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	embedded "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/targettest"
)

// pagesOfProse is a site of n pages in ten folders.
func pagesOfProse(n int) targettest.Files {
	files, words := targettest.Files{}, strings.Fields("the release of a site goes out to every origin at once and")
	for i := range n {
		var page strings.Builder
		for r := rand.New(rand.NewPCG(uint64(i), 1)); page.Len() < 4<<10; {
			fmt.Fprintf(&page, "%s %x ", words[r.IntN(len(words))], r.IntN(1<<12))
		}
		files[fmt.Sprintf("posts/%d/%04d.html", i%10, i)] = page.String()
	}
	return files
}

// TestAChangeCostsTheChange counts requests and bytes of whole publishes: plan, stage, commit, read back
// and prune, with a state folder.
func TestAChangeCostsTheChange(t *testing.T) {
	p := newPlace(t, realRegistry(t, realserver.DockerRegistry))
	p.config.Base = "none"
	env := targets.Env{State: t.TempDir()}
	run := func(files targettest.Files) *traffic {
		meter := &traffic{}
		env.Transport = meter
		publishWhole(t, p.open(t, env), targettest.Release(files))
		return meter
	}
	files := pagesOfProse(1000)
	cold := run(files)
	if whole := packed(t, slices.Collect(maps.Values(files))...); float64(cold.sent) > 1.05*whole {
		t.Errorf("cold: sent %d bytes for a site of %.0f, compressed", cold.sent, whole)
	}
	if again := run(files); again.sent > 0 || again.requests > 2 {
		t.Errorf("unchanged: sent %d bytes in %d requests, want none in 2", again.sent, again.requests)
	}
	fewest := int64(1 << 30) // a request may be repeated where the machine is busy
	for round := range 4 {
		var changed []string
		for i := range 10 {
			name := fmt.Sprintf("posts/%d/%04d.html", i, 10*(i+10*round)+i)
			files[name] += fmt.Sprint("changed ", round)
			changed = append(changed, files[name])
		}
		meter := run(files)
		if bound := 1.5*packed(t, changed...) + 32<<10; float64(meter.sent) > bound {
			t.Errorf("1 %% changed, round %d: sent %d bytes, want at most %.0f", round, meter.sent, bound)
		}
		fewest = min(fewest, meter.requests)
	}
	if fewest > 15 {
		t.Errorf("1 %% changed: %d requests, want at most 15", fewest)
	}
}

// publishWhole does what a publish does with a target.
func publishWhole(t *testing.T, tgt *Target, rel *site.Release) {
	t.Helper()
	plan, err := tgt.Plan(t.Context(), rel)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Live.Release == rel.ID() && plan.Changes.Empty() {
		return
	}
	err = tgt.Stage(t.Context(), rel, nil)
	if err == nil {
		err = tgt.Commit(t.Context(), targets.Swap{From: plan.Live, To: rel.ID()})
	}
	if err == nil {
		plan, err = tgt.Plan(t.Context(), rel)
	}
	if err == nil {
		err = tgt.Prune(t.Context(), targets.Retention{Keep: 3})
	}
	if err != nil || plan.Live.Release != rel.ID() || !plan.Changes.Empty() {
		t.Fatalf("got %s live, %v", plan.Live.Release.Short(), err)
	}
}

// packed is the size of texts, compressed as a layer is by other tools.
func packed(t *testing.T, texts ...string) float64 {
	t.Helper()
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err == nil {
		_, err = io.WriteString(w, strings.Join(texts, ""))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return float64(buf.Len())
}

// TestEqualHistories publishes the same releases from two machines, one of which forgets all between:
// the images are the same.
func TestEqualHistories(t *testing.T) {
	var digests [2][]string
	for machine := range digests {
		p, state := newPlace(t, embeddedRegistry(t)), t.TempDir()
		p.config.Base = "none"
		files := pagesOfProse(30)
		for round := range 16 {
			if machine == 1 {
				state = t.TempDir()
			}
			files[fmt.Sprintf("posts/%d/%04d.html", round%3, round%3)] = fmt.Sprint("round ", round)
			delete(files, fmt.Sprintf("posts/%d/%04d.html", round%10, round+10))
			rel := targettest.Release(files)
			rel.Published = rel.Published.AddDate(0, 0, round)
			if _, err := targettest.Publish(t.Context(), p.open(t, targets.Env{State: state}), rel); err != nil {
				t.Fatal(err)
			}
			digest, err := liveImage(t, p).Digest()
			if err != nil {
				t.Fatal(err)
			}
			digests[machine] = append(digests[machine], digest.String())
			wantListed(t, p.open(t, targets.Env{}), rel)
		}
	}
	if !slices.Equal(digests[0], digests[1]) {
		t.Errorf("the same history made other images:\n%q\n%q", digests[0], digests[1])
	}
}

// wantListed fails unless the list beside the live image is as many layers as the site, and lists it.
func wantListed(t *testing.T, tgt *Target, rel *site.Release) {
	t.Helper()
	l, err := tgt.list(t.Context(), rel.ID())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := tgt.readList(t.Context(), l); err != nil || m.ID() != rel.ID() {
		t.Errorf("the list of %s: %v", rel.ID().Short(), err)
	}
	if want := len(manifestOf(t, tgt.tag).Layers); len(l.layers) != want {
		t.Errorf("the list of %s is in %d layers, want %d as the site", rel.ID().Short(), len(l.layers), want)
	}
}

// forgetful is a registry that can lose blobs. It takes an image whose layers it does not have.
type forgetful struct {
	embedded.BlobHandler
	lost map[string]bool
}

func (f forgetful) Stat(ctx context.Context, repo string, h v1.Hash) (int64, error) {
	if f.lost[h.String()] {
		h.Hex = strings.Repeat("0", 64) // which it never had
	}
	return f.BlobHandler.(embedded.BlobStatHandler).Stat(ctx, repo, h)
}

func (f forgetful) Get(ctx context.Context, repo string, h v1.Hash) (io.ReadCloser, error) {
	if f.lost[h.String()] {
		h.Hex = strings.Repeat("0", 64)
	}
	return f.BlobHandler.Get(ctx, repo, h)
}

func (f forgetful) Put(ctx context.Context, repo string, h v1.Hash, rc io.ReadCloser) error {
	delete(f.lost, h.String())
	return f.BlobHandler.(embedded.BlobPutHandler).Put(ctx, repo, h, rc)
}

// TestRegistryLosesALayer loses a layer below the one that the next release is laid on: the site is sent
// as a whole. That is so with registries that notice it themselves and with those that do not, and on a
// machine that published before and on one that did not.
func TestRegistryLosesALayer(t *testing.T) {
	for _, c := range []struct {
		name  string
		start func(t *testing.T) (addr string, lose func(p place, digest string))
	}{
		{"noticed", func(t *testing.T) (string, func(place, string)) {
			addr := realRegistry(t, realserver.DockerRegistry)
			return addr, func(p place, digest string) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://"+addr+"/v2/team/blog/blobs/"+digest, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.SetBasicAuth(user, password)
				resp, err := http.DefaultClient.Do(req)
				if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusAccepted {
					t.Fatal("the blob cannot be deleted: ", err)
				}
			}
		}},
		{"unnoticed", func(t *testing.T) (string, func(place, string)) {
			blobs := forgetful{embedded.NewInMemoryBlobHandler(), map[string]bool{}}
			s := httptest.NewServer(embedded.New(embedded.Logger(log.New(io.Discard, "", 0)), embedded.WithBlobHandler(blobs)))
			t.Cleanup(s.Close)
			return strings.TrimPrefix(s.URL, "http://"), func(_ place, digest string) { blobs.lost[digest] = true }
		}},
	} {
		for _, fresh := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, fresh=%v", c.name, fresh), func(t *testing.T) {
				addr, lose := c.start(t)
				p, env := newPlace(t, addr), targets.Env{State: t.TempDir()}
				p.config.Base = "none"
				files := pagesOfProse(20)
				publishWhole(t, p.open(t, env), targettest.Release(files))
				files["second.html"] = "2"
				publishWhole(t, p.open(t, env), targettest.Release(files))
				layers := manifestOf(t, p.tag).Layers
				if len(layers) != 2 {
					t.Fatalf("%d layers, want 2", len(layers))
				}
				lose(p, layers[0].Digest.String())
				if fresh {
					env.State = t.TempDir()
				}
				files["third.html"] = "3"
				rel := targettest.Release(files)
				publishWhole(t, p.open(t, env), rel)
				wantFileSystem(t, liveImage(t, p), rel, files)
				if layers := manifestOf(t, p.tag).Layers; len(layers) != 1 {
					t.Errorf("%d layers, want the whole site in one", len(layers))
				}
			})
		}
	}
}

// TestLayersOnOneLayer takes over an image as versions before this one made it, with its list as a
// whole and nothing of it known here.
func TestLayersOnOneLayer(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	p.config.Base = "none"
	files := pagesOfProse(100)
	publish(t, p.open(t, targets.Env{}), files)
	m := manifestOf(t, p.tag)
	for key := range m.Annotations {
		if key == labelLayers || key == labelStored {
			t.Errorf("an image of one layer has the label %s, which those before did not have", key)
		}
	}
	var meter traffic
	delete(files, "posts/0/0000.html")
	files["new.html"] = "new"
	rel := targettest.Release(files)
	if _, err := targettest.Publish(t.Context(), p.open(t, targets.Env{Transport: &meter}), rel); err != nil {
		t.Fatal(err)
	}
	wantFileSystem(t, liveImage(t, p), rel, files)
	if meter.sent > 16<<10 {
		t.Errorf("sent %d bytes for a small change", meter.sent)
	}
}

// layered is an image that knows its layers: package mutate finds each among all others.
type layered struct {
	v1.Image
	layers []v1.Layer
}

// Layers are those layers.
func (l layered) Layers() ([]v1.Layer, error) { return l.layers, nil }

// TestManyLayers has an image with more layers than are read.
func TestManyLayers(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	p.config.Base = "none"
	publish(t, p.open(t, targets.Env{}), pages)
	img := liveImage(t, p)
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var adds []mutate.Addendum
	for range maxLayers + 1 {
		adds = append(adds, mutate.Addendum{Layer: layers[0]})
	}
	if img, err = mutate.Append(img, adds...); err != nil {
		t.Fatal(err)
	}
	pushImage(t, p.tag, layered{img, slices.Repeat(layers[:1], len(layers)+maxLayers+1)})
	if _, err := p.open(t, targets.Env{}).ReadBack(t.Context()); err == nil || !strings.Contains(err.Error(), "layers") {
		t.Errorf("got %v, want too many layers", err)
	}
}

// TestPlanSaysWhatIsSent compares a plan's bytes with the content that the next layer has: of what
// changed, and of the whole site where nothing can be laid below it.
func TestPlanSaysWhatIsSent(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	p.config.Base = "none"
	files := pagesOfProse(20)
	want := func(files targettest.Files, bytes int) {
		t.Helper()
		plan, err := p.open(t, targets.Env{}).Plan(t.Context(), targettest.Release(files))
		if err != nil || plan.Bytes != int64(bytes) {
			t.Errorf("got %d bytes, %v; want %d", plan.Bytes, err, bytes)
		}
	}
	whole := func() (n int) {
		for _, text := range files {
			n += len(text)
		}
		return n
	}
	want(files, whole())
	publish(t, p.open(t, targets.Env{}), files)
	want(files, 0)
	delete(files, "posts/0/0000.html")
	files["posts/1/0001.html"] = "changed"
	want(files, len("changed"))
	p.put(t, map[string][]byte{"posts/2/0002.html": []byte("by others")})
	want(files, whole())
}
