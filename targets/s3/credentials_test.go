package s3

import (
	"bytes"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mirror/targets"
	"mirror/targets/s3/internal/provider"
)

// withoutKeys clears what the AWS tools would find on the machine of the test.
func withoutKeys(t *testing.T) (home string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	home = t.TempDir()
	t.Setenv("HOME", home)
	return home
}

func TestMissingKeysAreExplained(t *testing.T) {
	home := withoutKeys(t)
	live := func(c Config) error {
		c.Bucket = "b"
		tgt, err := Open(t.Context(), targets.Env{Transport: nobody{}}, c)
		if err != nil {
			return err
		}
		_, err = tgt.Live(t.Context())
		return err
	}
	for _, want := range []string{
		"there are no keys for Backblaze B2", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", `the profile "default" in ` + filepath.Join(home, ".aws", "credentials"),
		"access_key_env and secret_key_env",
	} {
		if err := live(Config{Endpoint: "https://s3.us-west-004.backblazeb2.com"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := live(Config{Endpoint: "https://s3.example.com"}); err == nil || !strings.HasPrefix(err.Error(), "look what is live: there are no keys for the service at https://s3.example.com: ") {
		t.Errorf("got %v; want what is missing first", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	const half = "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not"
	if err := live(Config{Endpoint: "https://s3.us-west-004.backblazeb2.com"}); err == nil || !strings.Contains(err.Error(), half) {
		t.Errorf("got %v, want %q", err, half)
	}
}

// nobody is a network without a service.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.EOF }

// TestMetadataServiceIsAskedForItsKeysAlone starts a metadata service and counts what it is asked.
func TestMetadataServiceIsAskedForItsKeysAlone(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		keys   bool // there are others
		asked  bool
	}{
		"another service":                 {config: Config{Endpoint: "https://s3.us-west-004.backblazeb2.com"}},
		"another service, with a role":    {config: Config{Endpoint: "https://s3.example.com", InstanceRole: true}, asked: true},
		"AWS, with keys":                  {keys: true},
		"AWS, with keys and the role":     {config: Config{InstanceRole: true}, keys: true},
		"AWS, the environment names it":   {asked: true},
		"an unknown service without keys": {config: Config{Endpoint: "http://127.0.0.1:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			withoutKeys(t)
			var asked atomic.Int64
			metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.WriteHeader(http.StatusNotFound)
			}))
			defer metadata.Close()
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
			t.Setenv("AWS_DEFAULTS_MODE", "auto")
			if c.keys {
				t.Setenv("AWS_ACCESS_KEY_ID", "key")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			}
			c.config.Bucket = "b"
			tgt, err := Open(t.Context(), targets.Env{Transport: nobody{}}, c.config)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tgt.Live(t.Context()); err == nil {
				t.Error("there is no service, and no error")
			}
			if n := asked.Load(); (n > 0) != c.asked {
				t.Errorf("the metadata service was asked %d times", n)
			}
		})
	}
}

func TestIsInstance(t *testing.T) {
	for text, want := range map[string]bool{"Amazon EC2\n": true, "ec2e1916-9099-7caf\n": false, "QEMU\n": false} {
		sys := t.TempDir()
		file := filepath.Join(sys, "class", "dmi", "id", "sys_vendor")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := isInstance(sys); got != want {
			t.Errorf("%q: got %t", text, got)
		}
	}
	if isInstance(t.TempDir()) {
		t.Error("nothing is known of the machine, and it counts as an instance")
	}
}

// TestCertificates meets a service whose certificate is from an authority of its own.
func TestCertificates(t *testing.T) {
	withoutKeys(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // of refused handshakes
	server.StartTLS()
	defer server.Close()
	folder := t.TempDir()
	file := func(name string, text []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bundle := file("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	meet := func(c Config) error {
		c.Bucket, c.Endpoint = "b", server.URL
		tgt, err := Open(t.Context(), targets.Env{}, c)
		if err != nil {
			return err
		}
		_, err = tgt.docs.ReadState(t.Context())
		return err
	}
	if err := meet(Config{CABundle: bundle}); err != nil {
		t.Errorf("with ca_bundle: %v", err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	if err := meet(Config{}); err != nil {
		t.Errorf("with AWS_CA_BUNDLE: %v", err)
	}
	t.Setenv("AWS_CA_BUNDLE", "")
	if err := meet(Config{CABundle: file("empty.pem", []byte("none"))}); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("a bundle without certificates: %v", err)
	}
	if err := meet(Config{CABundle: filepath.Join(folder, "absent")}); err == nil || !strings.Contains(err.Error(), "ca_bundle") {
		t.Errorf("a bundle that is not there: %v", err)
	}
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	if err := meet(Config{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("with the system's certificates: %v", err)
	}
}

// TestLinesOfTheSDK: what the SDK logs is for -v, and never on stderr by itself.
func TestLinesOfTheSDK(t *testing.T) {
	var shown bytes.Buffer
	log := slog.New(slog.NewTextHandler(&shown, &slog.HandlerOptions{Level: slog.LevelInfo}))
	withoutKeys(t)
	cfg, err := awsSettings(t.Context(), targets.Env{}, Config{}, location{}, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, ours := cfg.Logger.(sdkLog); !ours {
		t.Fatalf("the SDK logs to a %T", cfg.Logger) // to stderr, by default
	}
	cfg.Logger.Logf("WARN", "Response has no supported checksum. Not validating response payload.")
	if shown.Len() > 0 {
		t.Errorf("shown %q", shown.String())
	}
}

// TestLocation: the provider, the region and the style follow from the endpoint.
func TestLocation(t *testing.T) {
	yes := true
	for name, c := range map[string]struct {
		config                     Config
		environment                string // AWS_REGION
		provider, endpoint, region string
		pathStyle                  bool
	}{
		"AWS":                     {Config{}, "eu-west-1", "aws", "", "", false},
		"the endpoint's region":   {Config{Endpoint: "https://s3.us-west-004.backblazeb2.com"}, "eu-west-1", "b2", "https://s3.us-west-004.backblazeb2.com", "us-west-004", true},
		"the config's region":     {Config{Endpoint: "https://nyc3.digitaloceanspaces.com", Region: "us-east-1"}, "", "digitalocean", "https://nyc3.digitaloceanspaces.com", "us-east-1", false},
		"the bucket's own URL":    {Config{Endpoint: "https://b.nyc3.digitaloceanspaces.com"}, "", "digitalocean", "https://nyc3.digitaloceanspaces.com", "nyc3", false},
		"the provider's region":   {Config{Endpoint: "https://x.r2.cloudflarestorage.com"}, "eu-west-1", "r2", "https://x.r2.cloudflarestorage.com", "auto", true},
		"a server of one's own":   {Config{Endpoint: "http://10.0.0.5:9000", Provider: "minio"}, "", "minio", "http://10.0.0.5:9000", "us-east-1", true},
		"unknown":                 {Config{Endpoint: "https://s3.example.com"}, "eu-west-1", "other", "https://s3.example.com", "", true},
		"path style where it may": {Config{PathStyle: &yes}, "", "aws", "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			withoutKeys(t)
			t.Setenv("AWS_REGION", c.environment)
			c.config.Bucket = "b"
			w, err := c.config.service()
			if err != nil || w.Name != c.provider || w.endpoint != c.endpoint || w.region != c.region || w.pathStyle != c.pathStyle {
				t.Errorf("got %s %q %q %t, %v", w.Name, w.endpoint, w.region, w.pathStyle, err)
			}
		})
	}
	if _, err := (Config{Provider: "minio"}).service(); err == nil || !strings.Contains(err.Error(), "needs an endpoint") {
		t.Errorf("minio without an endpoint: %v", err)
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "https://fsn1.your-objectstorage.com")
	if w, err := (Config{}).service(); err != nil || w.Name != "hetzner" {
		t.Errorf("an endpoint of the environment: %s, %v", w.Name, err)
	}
}

// TestWhatNoServiceHas: a config that asks for what its service lacks is refused.
func TestWhatNoServiceHas(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"ACLs of R2":       {Config{Endpoint: "https://x.r2.cloudflarestorage.com", ACL: "public-read"}, "acl: is not supported: Cloudflare R2"},
		"none on R2":       {Config{Endpoint: "https://x.r2.cloudflarestorage.com", ACL: noACL}, ""},
		"ACLs of Spaces":   {Config{Endpoint: "https://nyc3.digitaloceanspaces.com", ACL: "public-read"}, ""},
		"SSE-KMS of B2":    {Config{Endpoint: "https://s3.us-west-004.backblazeb2.com", SSE: sseKMS}, "sse: is not supported by Backblaze B2"},
		"SSE-S3 of B2":     {Config{Endpoint: "https://s3.us-west-004.backblazeb2.com", SSE: sseS3}, ""},
		"a key without it": {Config{SSEKMSKeyID: "k"}, "needs sse"},
		"an archive":       {Config{StorageClass: "DEEP_ARCHIVE"}, "cannot be served|can be served"},
	} {
		c.config.Bucket = "b"
		_, err := c.config.checked()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) && !strings.Contains(err.Error(), strings.Split(c.want, "|")[len(strings.Split(c.want, "|"))-1])) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestProvidersOfTheSchema: the config's schema names the rows of the table.
func TestProvidersOfTheSchema(t *testing.T) {
	for _, name := range provider.Names() {
		if !strings.Contains(configSource, "enum="+name+",") && !strings.Contains(configSource, "enum="+name+"\"") {
			t.Errorf("the config's provider has no %s", name)
		}
	}
}
