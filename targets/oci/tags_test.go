package oci

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	embedded "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mirror/targets"
	"mirror/targets/targettest"
)

// tagging is a registry that takes several tags with one manifest, or some of them.
type tagging struct {
	registry http.Handler
	most     int // tags that it takes of each request

	mu    sync.Mutex
	asked int // requests with tags
}

// ServeHTTP answers: a manifest with tags is stored under each of them.
func (h *tagging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tags := r.URL.Query()["tag"]
	if r.Method != http.MethodPut || len(tags) == 0 || h.most == 0 {
		h.registry.ServeHTTP(w, r)
		return
	}
	h.mu.Lock()
	h.asked++
	h.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	for _, tag := range tags[:min(h.most, len(tags))] {
		part := httptest.NewRequest(http.MethodPut, r.URL.Path[:strings.LastIndex(r.URL.Path, "/")+1]+tag, strings.NewReader(string(body)))
		part.Header = r.Header.Clone()
		h.registry.ServeHTTP(httptest.NewRecorder(), part)
		w.Header().Add("OCI-Tag", tag)
	}
	w.WriteHeader(http.StatusCreated)
}

// TestTagsGoTogether has three tags on registries that take them at once, one after the other, and two at
// most. A rollback takes them back.
func TestTagsGoTogether(t *testing.T) {
	for _, most := range []int{0, 2, 10} {
		registry := &tagging{registry: embedded.New(embedded.Logger(log.New(io.Discard, "", 0))), most: most}
		s := httptest.NewServer(registry)
		t.Cleanup(s.Close)
		p := newPlace(t, strings.TrimPrefix(s.URL, "http://"))
		p.config.Base, p.config.Tags = "none", []string{"stable", "r-{release}"}
		tgt := p.open(t, targets.Env{})
		first := publish(t, tgt, pages)
		second := publish(t, tgt, targettest.Files{"index.html": "next"})
		wantSame(t, p.tag, p.tag.Context().Tag("stable"), p.tag.Context().Tag("r-"+string(second.To)))
		if err := tgt.Rollback(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		wantSame(t, p.tag, p.tag.Context().Tag("stable"), p.tag.Context().Tag("r-"+string(first.To)))
		if most > 0 && registry.asked != 3 {
			t.Errorf("%d at most: %d requests with several tags, want one for each change", most, registry.asked)
		}
		plan, err := tgt.Plan(t.Context(), targettest.Release(pages))
		if err != nil || plan.Live.Release != first.To {
			t.Errorf("%d at most: got %s live, %v", most, plan.Live.Release.Short(), err)
		}
	}
}

func wantSame(t *testing.T, tags ...name.Tag) {
	t.Helper()
	var digests []string
	for _, tag := range tags {
		desc, err := remote.Head(tag, remoteOptions()...)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, desc.Digest.String())
	}
	if len(slices.Compact(digests)) != 1 {
		t.Errorf("%v are %v, want one image", tags, digests)
	}
}
