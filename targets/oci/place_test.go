package oci

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	embedded "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

const (
	user     = "publisher"
	password = "secret-of-the-test"
)

// embeddedRegistry starts go-containerregistry's own registry.
func embeddedRegistry(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(embedded.New(embedded.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// realRegistry starts a real registry that asks for a password, and logs in to it.
func realRegistry(t testing.TB, program string) string {
	t.Helper()
	addr := realserver.Registry(t, program, map[string]string{user: password})
	logIn(t, addr)
	return addr
}

// openRegistry starts a registry that asks for no password.
func openRegistry(t testing.TB, program string) string {
	t.Helper()
	return realserver.Registry(t, program, nil)
}

// logIn does what `docker login` does.
func logIn(t testing.TB, addr string) {
	t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	file := filepath.Join(t.TempDir(), "config.json")
	text := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, addr, auth)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", filepath.Dir(file))
	t.Setenv("REGISTRY_AUTH_FILE", file)
}

// place is a live tag for the suite.
type place struct {
	config Config
	tag    name.Tag
}

func newPlace(t testing.TB, addr string) place {
	t.Helper()
	return newPlaceOf(t, addr+"/team/blog:live")
}

func newPlaceOf(t testing.TB, image string) place {
	t.Helper()
	return place{Config{Image: image, SelfBinary: tinyServer(t, native())}, mustTag(t, image)}
}

func mustTag(t testing.TB, ref string) name.Tag {
	t.Helper()
	tag, err := name.NewTag(ref)
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

func (p place) fixture() targettest.Fixture {
	return targettest.Fixture{
		Kind: Kind(),
		Open: func(t *testing.T, transport http.RoundTripper) targets.Target {
			return p.open(t, targets.Env{Transport: transport})
		},
		Gracing: func(t *testing.T, policy *grace.Policy) targets.Target { return p.open(t, targets.Env{Grace: policy}) },
		Keeping: func(t *testing.T, keep targets.Keep) targets.Target { return p.open(t, targets.Env{Keep: keep}) },
		Holds:   p.holds,
		Read:    p.read,
		Put:     p.put,
		HTTP:    true,

		NoBeaconRecord: true,
	}
}

func (p place) open(t testing.TB, env targets.Env) *Target {
	t.Helper()
	tgt, err := Open(t.Context(), env, p.config)
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

func remoteOptions() []remote.Option {
	return []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithPlatform(linux(runtime.GOARCH))}
}

func linux(arch string) v1.Platform { return v1.Platform{OS: "linux", Architecture: arch} }

// read pulls the tag and unpacks it with the library's code, not with ours.
func (p place) read(file string) ([]byte, error) {
	img, err := remote.Image(p.tag, remoteOptions()...)
	var answer *transport.Error
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", p.tag, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	files, err := imagetest.Unpack(img)
	if err != nil {
		return nil, err
	}
	text, ok := files["site/"+file]
	if !ok {
		return nil, fmt.Errorf("%s: %w", file, fs.ErrNotExist)
	}
	return text, nil
}

// put builds on the live image, as `docker build` with a FROM line does.
func (p place) put(t *testing.T, files map[string][]byte) {
	t.Helper()
	img, err := remote.Image(p.tag, remoteOptions()...)
	if err != nil {
		img = bareImage()
	}
	var entries []imagetest.Entry
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if files[name] == nil {
			name = path.Join(path.Dir(name), ".wh."+path.Base(name))
			entries = append(entries, imagetest.Entry{Header: tar.Header{Name: "site/" + name}})
			continue
		}
		entries = append(entries, imagetest.Entry{Header: tar.Header{Name: "site/" + name}, Text: files[name]})
	}
	pushImage(t, p.tag, imagetest.Append(t, img, entries))
}

func pushImage(t testing.TB, ref name.Reference, img v1.Image) {
	t.Helper()
	if err := remote.Write(ref, img, remoteOptions()...); err != nil {
		t.Fatal(err)
	}
}

// tinyServer writes an ELF header with nothing behind it: enough for all but running it.
func tinyServer(t testing.TB, machine elf.Machine) string {
	t.Helper()
	var buf bytes.Buffer
	hdr := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Ehsize: 64, Phentsize: 56, Shentsize: 64}
	copy(hdr.Ident[:], elf.ELFMAG)
	hdr.Ident[elf.EI_CLASS], hdr.Ident[elf.EI_DATA], hdr.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	if err := binary.Write(&buf, binary.LittleEndian, hdr); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mirror")
	if err := os.WriteFile(file, buf.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func publish(t testing.TB, tgt targets.Target, files targettest.Files) targets.Swap {
	t.Helper()
	swap, err := targettest.Publish(context.WithoutCancel(t.Context()), tgt, targettest.Release(files))
	if err != nil {
		t.Fatal(err)
	}
	return swap
}

func manifestOf(t testing.TB, ref name.Reference) (m struct {
	MediaType   types.MediaType
	Annotations map[string]string
	Layers      []v1.Descriptor
	Manifests   []v1.Descriptor
}) {
	t.Helper()
	desc, err := remote.Get(ref, remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(desc.Manifest, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// native is the ELF name of this machine's architecture.
func native() elf.Machine {
	if runtime.GOARCH == "arm64" {
		return elf.EM_AARCH64
	}
	return elf.EM_X86_64
}
