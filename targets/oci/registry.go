package oci

import (
	"bytes"
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
	"mirror/targets/oci/internal/push"
)

// registry talks to registries, with the credentials that docker, podman and crane use.
type registry struct {
	puller  *remote.Puller
	session *rewinding
	writes  *push.Session // to the target's repository
}

// newRegistry returns the registry whose repository repo is written to. Blobs may be mounted from the
// sources.
func newRegistry(base http.RoundTripper, repo name.Repository, sources []name.Repository) (*registry, error) {
	session := &rewinding{base: push.Once(base)}
	backoff := remote.Backoff{Duration: 200 * time.Millisecond, Factor: 3, Jitter: 0.1, Steps: 4}
	sends := metered{session}
	puller, err := remote.NewPuller(
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithTransport(sends),
		remote.WithUserAgent(userAgent),
		remote.WithRetryBackoff(backoff),
		remote.WithRetryPredicate(session.worthRepeating))
	writes := push.New(repo, push.Options{
		Transport: sends, Keychain: authn.DefaultKeychain, UserAgent: userAgent,
		Backoff: backoff, Repeat: session.worthRepeating, Sources: sources,
	})
	return &registry{puller, session, writes}, err
}

const userAgent = "mirror"

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

// put writes a manifest whose parts the registry holds.
func (r *registry) put(ctx context.Context, ref name.Reference, m manifest) error {
	return explain(ref, "tag", r.writes.Manifest(ctx, ref.Identifier(), m.mediaType, m.raw))
}

// untag deletes a tag and leaves its manifest. It tells false where the registry refuses to.
func (r *registry) untag(ctx context.Context, tag name.Tag) (bool, error) {
	err := r.writes.Delete(ctx, tag.TagStr())
	var refused *transport.Error
	switch {
	case err == nil, isStatus(err, http.StatusNotFound):
		return true, nil
	case errors.As(err, &refused) && refused.StatusCode/100 == 4 && refused.StatusCode != http.StatusTooManyRequests:
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

func (m manifest) reader() io.Reader { return bytes.NewReader(m.raw) }

func rawManifest(img interface {
	RawManifest() ([]byte, error)
	MediaType() (types.MediaType, error)
}) (manifest, error) {
	raw, err := img.RawManifest()
	if err != nil {
		return manifest{}, err
	}
	kind, err := img.MediaType()
	return manifest{raw, kind}, err
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

// Read reports the bytes that it reads as sent.
func (b meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.progress.Sent(0, int64(n))
	}
	return n, err
}

// renewals is how often a request is repeated because its token had expired.
const renewals = 3

// whileExpired does something again whose token had expired.
func whileExpired[T any](r *registry, do func() (T, error)) (T, error) {
	for n := 0; ; n++ {
		got, err := do()
		if n == renewals || !r.session.expired(err) {
			return got, err
		}
	}
}
