// Package registryhost is a container registry on loopback, and a container runtime that serves
// the site in the image under one of its tags. It stands in for both in demos and tests.
package registryhost

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"path"
	"path/filepath"
	goruntime "runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/internal/lab/edge"
	"mirror/internal/static"
)

// Host is a container registry and a runtime that serves the site in one image: it
// pulls the image some time after its tag was pushed or deleted, and answers 503 while
// there is none.
type Host struct {
	*edge.Origin
	Image string // the reference, with its tag, that the runtime follows

	dir    string
	ref    name.Reference
	client *http.Transport // of the runtime's requests to the registry
	deploy *edge.Deployer
}

const (
	imageName = "site"
	imageTag  = "latest"
	manifests = "/v2/" + imageName + "/manifests/" // a push writes the tag's below it last
)

// Options say how a registry is set up.
type Options struct {
	ContentType func(path string, head []byte) string
	Log         *slog.Logger // nil for silence
}

// New returns a registry that stores in a folder, which must be there, and a runtime
// that deploys until ctx ends. It has no address yet: see Serve.
func New(ctx context.Context, dir string, o Options) *Host {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	site := static.Options{ContentType: o.ContentType, Log: o.Log}
	r := &Host{
		dir:    dir,
		client: &http.Transport{MaxIdleConnsPerHost: 8},
		deploy: edge.NewDeployer(ctx, o.Log.With("origin", "registry"), site, noImage()),
	}
	r.Origin = edge.NewOrigin("registry", "oci", r.deploy, r.deploy)
	return r
}

// Serve has listen serve the registry to its clients. listen returns the base URL, without a
// slash at its end, from which h is served.
func (r *Host) Serve(listen func(h http.Handler) (string, error)) error {
	blobs := filepath.Join(r.dir, "registry")
	if err := os.Mkdir(blobs, 0o755); err != nil {
		return err
	}
	hub := registry.New(
		registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)),
		registry.WithReferrersSupport(true),
		registry.Logger(log.New(io.Discard, "", 0)))
	base, err := listen(&notifier{hub, r.moved})
	if err != nil {
		return err
	}
	r.Image = strings.TrimPrefix(base, "http://") + "/" + imageName + ":" + imageTag
	r.ref, err = name.ParseReference(r.Image)
	return err
}

// Close takes the site down. The context that the registry was made with has ended.
func (r *Host) Close() {
	r.deploy.Close()
	r.client.CloseIdleConnections()
}

// notifier tells the runtime that the tag may have moved, before the one who moved it
// hears that it is done.
type notifier struct {
	next  http.Handler
	moved func()
}

// ServeHTTP answers a registry client.
func (n *notifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pushed := r.Method == http.MethodPut && r.URL.Path == manifests+imageTag
	deleted := r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, manifests)
	if !pushed && !deleted {
		n.next.ServeHTTP(w, r)
		return
	}
	n.next.ServeHTTP(&onStatus{w, func(status int) {
		if status == http.StatusCreated || status == http.StatusAccepted {
			n.moved()
		}
	}}, r)
}

// onStatus calls seen with the status before it is sent.
type onStatus struct {
	http.ResponseWriter
	seen func(int)
}

// WriteHeader sends the status.
func (w *onStatus) WriteHeader(status int) {
	w.seen(status)
	w.ResponseWriter.WriteHeader(status)
}

// moved deploys what the tag stands for now.
func (r *Host) moved() { r.deploy.Later(r.build) }

// noImage answers while there is no image.
func noImage() http.Handler { return &static.Swapper{} }

// build pulls the image and makes its site, none where there is no tag.
func (r *Host) build(ctx context.Context) (*edge.Release, error) {
	digest, err := static.Resolve(ctx, r.ref, r.client)
	if missing(err) {
		return &edge.Release{Handler: noImage()}, nil
	}
	if err != nil {
		return nil, err
	}
	ref := r.ref.Context().Digest(digest.String())
	img, err := static.Fetch(ctx, ref, r.client)
	if err != nil {
		return nil, err
	}
	listed := &listedImage{Image: img, names: map[string]bool{}}
	site, err := static.Unpack(listed, r.dir, static.ImageLimits{})
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", ref, err)
	}
	sums, err := listed.sums(site)
	if err != nil {
		return nil, errors.Join(err, site.Close())
	}
	return r.deploy.Built(site, sums, func() { _ = site.Close() }), nil // a temporary file: nothing is lost
}

// Edit pushes a changed image under the tag as a person would, nil content removing a
// file, and deploys it at once.
func (r *Host) Edit(ctx context.Context, files map[string][]byte) error {
	if err := r.Change(ctx, files); err != nil {
		return err
	}
	return r.deploy.Now(r.build)
}

// Change does the same, and the change is deployed as any push is.
func (r *Host) Change(ctx context.Context, files map[string][]byte) error {
	img, root, err := r.current(ctx)
	if err != nil {
		return err
	}
	kind, err := img.MediaType()
	if err != nil {
		return err
	}
	layer, err := layerOf(root, files, kind)
	if err != nil {
		return err
	}
	if img, err = mutate.AppendLayers(img, layer); err != nil {
		return err
	}
	if err := remote.Write(r.ref, img, remote.WithContext(ctx), remote.WithTransport(r.client)); err != nil {
		return fmt.Errorf("push the edited image: %w", err)
	}
	return nil
}

// current is the tag's image, an empty one where there is none yet, and its web root.
func (r *Host) current(ctx context.Context) (v1.Image, string, error) {
	img, err := static.Fetch(ctx, r.ref, r.client)
	if missing(err) {
		img, err := blank()
		return img, webRoot, err
	}
	if err != nil {
		return nil, "", err
	}
	root, err := rootOf(img)
	return img, root, err
}

// missing says whether the registry answered that there is no such tag.
func missing(err error) bool {
	var refused *transport.Error
	return errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound
}

// blank is an image with nothing in it.
func blank() (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	return mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: goruntime.GOARCH, RootFS: v1.RootFS{Type: "layers"}})
}

// layerOf makes a layer, for an image of the kind, that writes the files below the root;
// nil content is a whiteout.
func layerOf(root string, files map[string][]byte, kind types.MediaType) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for file, content := range files {
		name := path.Join(root, file)
		if content == nil {
			name = path.Join(path.Dir(name), ".wh."+path.Base(name))
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	format := types.OCILayer
	if kind == types.DockerManifestSchema2 {
		format = types.DockerLayer
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(format))
}
