package static

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mirror/internal/stall"
)

// Follower serves the site of an image straight from its registry, and goes where the tag
// goes.
type Follower struct {
	Image     string        // a reference such as ghcr.io/me/blog:latest
	Poll      time.Duration // how often the tag is asked for; 0 for 2 s
	Site      Options
	Limits    ImageLimits
	Dir       string            // for temporary files, "" for the system's
	Transport http.RoundTripper // nil for the default one
	Log       *slog.Logger      // nil for silence
}

// FollowImage starts the follower, which ends with ctx, and returns the handler of what it serves. A
// reference that is malformed is logged.
func FollowImage(ctx context.Context, f *Follower) http.Handler {
	swapper := &Swapper{}
	go func() {
		if err := f.Run(ctx, swapper); err != nil {
			f.Log.Error("cannot follow the image", "err", err)
		}
	}()
	return swapper
}

// Run pulls the image, serves it through s, and does so again whenever the tag moves,
// until ctx ends; then it returns nil. An image that cannot be pulled or served is logged,
// once, and leaves the earlier one in place. Only a malformed reference is an error.
func (f *Follower) Run(ctx context.Context, s *Swapper) error {
	ref, err := name.ParseReference(f.Image)
	if err != nil {
		return fmt.Errorf("image %q: %w", f.Image, err)
	}
	state := followState{Follower: f, ref: ref, to: s, log: f.Log}
	if state.log == nil {
		state.log = slog.New(slog.DiscardHandler)
	}
	poll := f.Poll
	if poll <= 0 {
		poll = 2 * time.Second
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		state.step(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

type followState struct {
	*Follower
	ref     name.Reference
	to      *Swapper
	log     *slog.Logger
	serving v1.Hash
	refused v1.Hash // an image that was bad: it is not pulled again
	said    string  // the last error logged
}

// step brings the served site to the tag, if it moved.
func (f *followState) step(ctx context.Context) {
	digest, err := f.pull(ctx)
	if err == nil {
		f.said = ""
		return
	}
	if errors.Is(err, ErrBadImage) {
		f.refused = digest
	}
	if ctx.Err() == nil && err.Error() != f.said {
		f.said = err.Error()
		f.log.Error("cannot serve the image, the earlier one stays", "image", f.Image, "err", err)
	}
}

func (f *followState) pull(ctx context.Context) (v1.Hash, error) {
	digest, err := Resolve(ctx, f.ref, f.Transport)
	if err != nil || digest == f.serving || digest == f.refused {
		return digest, err
	}
	site, err := Pull(ctx, f.ref.Context().Digest(digest.String()), f.Dir, f.Limits, f.Transport)
	if err != nil {
		return digest, err
	}
	f.to.Swap(New(site, f.Site), func() { _ = site.Close() }) // a temporary file: nothing is lost
	f.serving, f.refused = digest, v1.Hash{}
	f.log.Info("serving the image", "image", f.Image, "digest", digest.String(), "files", site.Len())
	return digest, nil
}

// Resolve asks a registry for the digest that a reference stands for. transport may be nil.
func Resolve(ctx context.Context, ref name.Reference, transport http.RoundTripper) (v1.Hash, error) {
	o := remoteOptions(ctx, transport)
	if d, err := remote.Head(ref, o...); err == nil {
		return d.Digest, nil
	}
	d, err := remote.Get(ref, o...) // some registries do not know HEAD, and GET says why it fails
	if err != nil {
		return v1.Hash{}, fmt.Errorf("ask for %s: %w", ref, err)
	}
	return d.Digest, nil
}

// Pull fetches an image and unpacks its site as Unpack does. transport may be nil.
func Pull(ctx context.Context, ref name.Reference, dir string, limits ImageLimits, transport http.RoundTripper) (*Image, error) {
	img, err := Fetch(ctx, ref, transport)
	if err != nil {
		return nil, err
	}
	site, err := Unpack(img, dir, limits)
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", ref, err)
	}
	return site, nil
}

// Fetch opens an image in its registry, of an index the one for this machine, else the
// first. Its layers travel when they are read. transport may be nil.
func Fetch(ctx context.Context, ref name.Reference, transport http.RoundTripper) (v1.Image, error) {
	d, err := remote.Get(ref, remoteOptions(ctx, transport)...)
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", ref, err)
	}
	img, err := pick(d)
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", ref, err)
	}
	return img, nil
}

// pick chooses from an index the image for this machine, else the first image: the site
// is the same in all.
func pick(d *remote.Descriptor) (v1.Image, error) {
	if !d.MediaType.IsIndex() {
		return d.Image()
	}
	index, err := d.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	want := v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	var first *v1.Descriptor
	for i, m := range manifest.Manifests {
		if !m.MediaType.IsImage() {
			continue
		}
		if m.Platform != nil && m.Platform.Satisfies(want) {
			return index.Image(m.Digest)
		}
		if first == nil {
			first = &manifest.Manifests[i]
		}
	}
	if first == nil {
		return nil, fmt.Errorf("%w: its index names no image", ErrBadImage)
	}
	return index.Image(first.Digest)
}

func remoteOptions(ctx context.Context, transport http.RoundTripper) []remote.Option {
	if transport == nil {
		transport = remote.DefaultTransport
	}
	return []remote.Option{
		remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(stall.New(transport, stall.Limit)),
	}
}
