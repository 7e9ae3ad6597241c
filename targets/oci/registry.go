package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/internal/netname"
	"mirror/targets"
)

// registry talks to registries, with the credentials that docker, podman and crane use.
type registry struct {
	options []remote.Option
	puller  *remote.Puller
	session *rewinding
}

func newRegistry(base http.RoundTripper) (*registry, error) {
	session := &rewinding{base: base}
	options := []remote.Option{
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithTransport(metered{session}),
		remote.WithUserAgent("mirror"),
		remote.WithRetryBackoff(remote.Backoff{Duration: 200 * time.Millisecond, Factor: 3, Jitter: 0.1, Steps: 4}),
		remote.WithRetryPredicate(session.worthRepeating),
	}
	puller, err := remote.NewPuller(options...)
	return &registry{options, puller, session}, err
}

func tunedTransport() http.RoundTripper {
	t := netname.Transport()
	t.MaxIdleConnsPerHost = 16
	return t
}

// get returns the manifest at ref, nil where there is none.
func (r *registry) get(ctx context.Context, ref name.Reference) (*remote.Descriptor, error) {
	desc, err := whileExpired(r, func() (*remote.Descriptor, error) { return r.puller.Get(ctx, ref) })
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return desc, explain(ref, "read", err)
}

// digest returns the digest at ref, "" where there is none.
func (r *registry) digest(ctx context.Context, ref name.Reference) (string, error) {
	if d, ok := ref.(name.Digest); ok {
		return d.DigestStr(), nil
	}
	desc, err := whileExpired(r, func() (*v1.Descriptor, error) { return r.puller.Head(ctx, ref) })
	if isStatus(err, http.StatusNotFound) {
		return "", nil
	}
	if err != nil {
		return "", explain(ref, "read", err)
	}
	return desc.Digest.String(), nil
}

// push sends what the registry lacks of an image or index, then its manifest. Each push
// has a pusher of its own, because a pusher never asks again for what it once sent.
func (r *registry) push(ctx context.Context, ref name.Reference, t remote.Taggable) error {
	pusher, err := remote.NewPusher(r.options...)
	if err != nil {
		return err
	}
	return explain(ref, "push", pusher.Push(ctx, ref, t))
}

// put writes a manifest whose parts the registry holds.
func (r *registry) put(ctx context.Context, ref name.Reference, m manifest) error {
	pusher, err := remote.NewPusher(r.options...)
	if err != nil {
		return err
	}
	return explain(ref, "tag", pusher.Put(ctx, ref, m))
}

// untag deletes a tag and leaves its manifest. It tells false where the registry refuses to.
func (r *registry) untag(ctx context.Context, tag name.Tag) (bool, error) {
	pusher, err := remote.NewPusher(r.options...)
	if err != nil {
		return false, err
	}
	_, err = whileExpired(r, func() (any, error) { return nil, pusher.Delete(ctx, tag) })
	var refused *transport.Error
	switch {
	case err == nil, isStatus(err, http.StatusNotFound):
		return true, nil
	case errors.As(err, &refused) && refused.StatusCode/100 == 4:
		return false, nil
	}
	return false, explain(tag, "delete", err)
}

func (r *registry) tags(ctx context.Context, repo name.Repository) ([]string, error) {
	tags, err := whileExpired(r, func() ([]string, error) { return r.puller.List(ctx, repo) })
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list tags of %s: %w", repo, err)
	}
	return tags, nil
}

// manifest is a manifest as it was read, to be put under another name.
type manifest struct {
	raw       []byte
	mediaType types.MediaType
}

// RawManifest returns the bytes.
func (m manifest) RawManifest() ([]byte, error) { return m.raw, nil }

// MediaType returns the type that the registry gave with the bytes.
func (m manifest) MediaType() (types.MediaType, error) { return m.mediaType, nil }

func isStatus(err error, status int) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == status
}

// explain says what was being done to which reference, and the way out where there is a usual one.
func explain(ref name.Reference, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case isStatus(err, http.StatusUnauthorized), isStatus(err, http.StatusForbidden):
		return fmt.Errorf("%s %s: %w (hint: log in with `docker login %s`, or check DOCKER_CONFIG)",
			doing, ref, err, ref.Context().RegistryStr())
	}
	return fmt.Errorf("%s %s: %w", doing, ref, err)
}

// metered tells the Progress in a request's context of the body's bytes as they are sent.
type metered struct{ base http.RoundTripper }

type progressKey struct{}

func withProgress(ctx context.Context, p targets.Progress) context.Context {
	if p == nil {
		return ctx
	}
	return context.WithValue(ctx, progressKey{}, p)
}

// RoundTrip sends the request.
func (m metered) RoundTrip(req *http.Request) (*http.Response, error) {
	p, ok := req.Context().Value(progressKey{}).(targets.Progress)
	if !ok || req.Body == nil || req.Body == http.NoBody {
		return m.base.RoundTrip(req)
	}
	req = req.Clone(req.Context())
	req.Body = meteredBody{req.Body, p}
	if again := req.GetBody; again != nil {
		req.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			return meteredBody{body, p}, err
		}
	}
	return m.base.RoundTrip(req)
}

type meteredBody struct {
	io.ReadCloser
	progress targets.Progress
}

func (b meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.progress.Sent(0, int64(n))
	}
	return n, err
}
