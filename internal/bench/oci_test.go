package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"mirror/internal/builtsite"
	"mirror/internal/realserver"
)

// TestOCI publishes to Debian's docker-registry.
func TestOCI(t *testing.T) { fullContest(t, "oci", nil, ociTools()...) }

func ociTools() []Tool {
	return []Tool{
		mirrorTool(func(e *Entry) (string, Place) {
			r := openRepository(e)
			return fmt.Sprintf("  - {name: oci, type: oci, image: %q, base: none, kind: volume, origin: {url: \"http://127.0.0.1:9/\"}}\n", r.image), r.place()
		}),
		peer("crane append", "crane", "crane version", func(e *Entry) Place {
			r := openRepository(e)
			return r.peer("crane append --insecure --oci-empty-base -f %[1]s -t %[2]s")
		}),
		peer("regctl image mod", "regctl", "regctl version --format '{{.VCSTag}}'", func(e *Entry) Place {
			r := openRepository(e)
			return r.peer("regctl registry set --tls disabled ${IMAGE%%%%/*} && regctl image create %[2]s && regctl image mod --replace --layer-add tar=%[1]s %[2]s")
		}),
	}
}

// repository is one on a registry of its own.
type repository struct {
	image, direct string // the image by way of the meter, and not
	site, home    string
}

func openRepository(e *Entry) repository {
	e.Helper()
	addr := realserver.Registry(e, realserver.DockerRegistry, nil)
	return repository{e.HTTP(addr) + "/bench/site:live", addr + "/bench/site:live", e.Site, e.TempDir()}
}

func (r repository) place() Place {
	return Place{
		Stored: func() (Tree, error) { return readImage(context.Background(), r.direct) },
		Own:    func(path string) bool { return path == ".well-known/mirror.json" },
	}
}

// peer is the repository with a line that takes a tar of the site and the image. The tar is finished before the clock starts.
func (r repository) peer(line string) Place {
	p, archive := r.place(), filepath.Join(r.home, "site.tar")
	p.Before = func(string) error {
		_, err := Run(context.Background(), Command{Line: "tar --sort=name --owner=0 --group=0 --numeric-owner -cf " + archive + " .", Dir: r.site})
		return err
	}
	p.Publish = always(Command{Line: fmt.Sprintf(line, archive, r.image), Env: []string{"HOME=" + r.home, "DOCKER_CONFIG=" + r.home, "IMAGE=" + r.image}})
	return p
}

// readImage reads the site of an image, with the reader of `mirror check oci:IMAGE`.
func readImage(ctx context.Context, image string) (Tree, error) {
	opened, err := builtsite.Open(ctx, "oci:"+image, builtsite.Options{WebRoot: "/"})
	if err != nil {
		return nil, err
	}
	t := Tree{}
	for _, f := range opened.Manifest {
		t[f.Path] = f.Digest
	}
	return t, errors.Join(err, opened.Close())
}
