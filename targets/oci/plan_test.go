package oci

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

// TestSettingsChange publishes the same site with other settings: Plan says that no release
// is live, and the publish moves the tag.
func TestSettingsChange(t *testing.T) {
	addr := embeddedRegistry(t)
	pushIndex(t, mustTag(t, addr+"/bases/web:1"), "amd64", "arm64")
	for _, c := range []struct {
		name   string
		change func(*Config)
	}{
		{"compression", func(c *Config) { c.Compression = "zstd" }},
		{"web root", func(c *Config) { c.WebRoot = "/srv/www" }},
		{"base", func(c *Config) { c.Base = addr + "/bases/web:1"; c.WebRoot = "/site" }},
		{"platforms", func(c *Config) { c.Platforms = []string{"linux/amd64", "linux/arm64"} }},
		{"server", func(c *Config) {
			f, err := os.OpenFile(c.SelfBinary, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString("newer")
			}
			if err != nil || f.Close() != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, addr)
			p.config.Image = addr + "/team/" + strings.ReplaceAll(c.name, " ", "-") + ":live"
			p.config.SelfBinary = serversBeside(t)
			env := targets.Env{State: t.TempDir()}
			before := publish(t, p.open(t, env), pages)
			wantPlanned(t, p.open(t, env), before.To)
			c.change(&p.config)
			wantPlanned(t, p.open(t, env), site.None)
			publish(t, p.open(t, env), pages)
			wantPlanned(t, p.open(t, env), before.To)
		})
	}
}

// wantPlanned fails unless the files are the release's and the plan calls it live, or not.
func wantPlanned(t *testing.T, tgt *Target, want site.ID) {
	t.Helper()
	plan, err := tgt.Plan(t.Context(), targettest.Release(pages))
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Changes.Empty() || plan.Live.Release != want {
		t.Errorf("plan: got release %s live and %+v, want %s and no change", plan.Live.Release.Short(), plan.Changes, want.Short())
	}
}

// TestUnchangedSendsNothing counts what a later publish of what is live costs.
func TestUnchangedSendsNothing(t *testing.T) {
	p := newPlace(t, realRegistry(t, realserver.DockerRegistry))
	env := targets.Env{State: t.TempDir()}
	publish(t, p.open(t, env), pages)
	for _, state := range []string{env.State, t.TempDir(), ""} {
		var meter traffic
		later := targettest.Release(pages)
		later.Published = later.Published.Add(time.Hour)
		if _, err := targettest.Publish(t.Context(), p.open(t, targets.Env{State: state, Transport: &meter}), later); err != nil {
			t.Fatal(err)
		}
		if meter.sent != 0 {
			t.Errorf("with the state %q: sent %d bytes in %d requests, want none", state, meter.sent, meter.requests)
		}
		if state == env.State && meter.requests > 10 {
			t.Errorf("with its state: %d requests, want few", meter.requests)
		}
	}
}

// TestServerIsCompressedOnce publishes twice with one state folder.
func TestServerIsCompressedOnce(t *testing.T) {
	p, state := newPlace(t, embeddedRegistry(t)), t.TempDir()
	publish(t, p.open(t, targets.Env{State: state}), pages)
	layer := theOne(t, state, "self-*.layer")
	before, err := os.Stat(layer)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, p.open(t, targets.Env{State: state}), targettest.Files{"index.html": "next"})
	if after, err := os.Stat(theOne(t, state, "self-*.layer")); err != nil || !os.SameFile(before, after) {
		t.Errorf("the server's layer was made again (%v)", err)
	}
	if err := os.WriteFile(layer, []byte("altered"), 0o600); err != nil {
		t.Fatal(err)
	}
	publish(t, p.open(t, targets.Env{State: state}), targettest.Files{"index.html": "third"})
	if after, err := os.Stat(layer); err != nil || after.Size() != before.Size() {
		t.Errorf("the altered layer was not made again (%v)", err)
	}
}

func theOne(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: got %q, %v; want one", pattern, found, err)
	}
	return found[0]
}

// forecast adds up what Stage tells.
type forecast struct {
	mu               sync.Mutex
	files, sentFiles int
	bytes, sentBytes int64
}

func (f *forecast) Expect(files int, bytes int64) { f.files, f.bytes = files, bytes }

func (f *forecast) Sent(files int, bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sentFiles += files
	f.sentBytes += bytes
}

// TestProgress stages a first release, with the server, and a second, without it.
func TestProgress(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	p.config.SelfBinary = heavyServer(t, 1<<20)
	for _, files := range []targettest.Files{imagetest.Large(1 << 20), imagetest.Large(2 << 20)} {
		var f forecast
		if err := p.open(t, targets.Env{}).Stage(t.Context(), targettest.Release(files), &f); err != nil {
			t.Fatal(err)
		}
		if f.files != len(files) || f.sentFiles != len(files) {
			t.Errorf("files: expected %d and sent %d, want %d", f.files, f.sentFiles, len(files))
		}
		if over := f.sentBytes - f.bytes; over < 0 || over > 64<<10 { // configs and manifests
			t.Errorf("bytes: expected %d and sent %d", f.bytes, f.sentBytes)
		}
	}
}

// heavyServer is a server of n bytes that compress badly.
func heavyServer(t *testing.T, n int) string {
	t.Helper()
	server := tinyServer(t, native())
	f, err := os.OpenFile(server, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(imagetest.Large(n)["film.bin"])
	}
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	return server
}

// TestCacheIsNoAuthority breaks the kept manifests: they are read again, not believed.
func TestCacheIsNoAuthority(t *testing.T) {
	p, state := newPlace(t, embeddedRegistry(t)), t.TempDir()
	swap := publish(t, p.open(t, targets.Env{State: state}), pages)
	kept, err := filepath.Glob(filepath.Join(state, "*"+manifestSuffix))
	if err != nil || len(kept) == 0 {
		t.Fatalf("kept manifests: %q, %v", kept, err)
	}
	for _, name := range kept {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantPlanned(t, p.open(t, targets.Env{State: state}), swap.To)
}

func TestWrongPassword(t *testing.T) {
	addr := realserver.Registry(t, realserver.DockerRegistry, map[string]string{user: "another"})
	logIn(t, addr)
	p := newPlace(t, addr)
	_, err := p.open(t, targets.Env{}).Live(t.Context())
	if err == nil || !strings.Contains(err.Error(), "docker login "+addr) {
		t.Errorf("got %v, want a hint to log in", err)
	}
	if err != nil && strings.Contains(err.Error(), password) {
		t.Errorf("the error tells the password: %v", err)
	}
}

func TestPrune(t *testing.T) {
	for _, c := range []struct {
		name    string
		start   func(t testing.TB) string
		deletes bool
	}{
		{"embedded", embeddedRegistry, true},
		{"distribution", func(t testing.TB) string { return realRegistry(t, realserver.Distribution) }, true},
		{"debian", func(t testing.TB) string { return realRegistry(t, realserver.DockerRegistry) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, c.start(t))
			tgt := p.open(t, targets.Env{})
			var swaps []targets.Swap
			for _, text := range []string{"one", "two", "three", "four"} {
				swaps = append(swaps, publish(t, tgt, targettest.Files{"index.html": text}))
			}
			if err := tgt.Prune(t.Context(), targets.Retention{Keep: 2}); err != nil {
				t.Fatal(err)
			}
			for i, want := range []bool{!c.deletes, !c.deletes, true, true} {
				h, err := tgt.look(t.Context(), tgt.stagedTag(swaps[i].To))
				if err != nil || (h != nil) != want {
					t.Errorf("release %d: got staged %v, %v; want %v", i+1, h != nil, err, want)
				}
			}
			if live, err := tgt.Live(t.Context()); err != nil || live.Release != swaps[3].To {
				t.Errorf("live: got %+v, %v", live, err)
			}
		})
	}
}

// TestNothingAgain rolls the first publish back: the tag is gone where the registry deletes
// tags, else it names an image that counts as nothing. What was staged stays.
func TestNothingAgain(t *testing.T) {
	for program, deletes := range map[string]bool{realserver.Distribution: true, realserver.DockerRegistry: false} {
		t.Run(program, func(t *testing.T) {
			p := newPlace(t, realRegistry(t, program))
			tgt := p.open(t, targets.Env{})
			swap := publish(t, tgt, pages)
			if err := tgt.Rollback(t.Context(), swap); err != nil {
				t.Fatal(err)
			}
			if digest, err := tgt.reg.digest(t.Context(), p.tag); err != nil || (digest == "") != deletes {
				t.Errorf("the tag: got %q, %v; want it gone: %v", digest, err, deletes)
			}
			if live, err := tgt.Live(t.Context()); err != nil || live != (targets.Live{}) {
				t.Errorf("live: got %+v, %v; want nothing", live, err)
			}
			if err := tgt.Commit(t.Context(), swap); err != nil {
				t.Errorf("commit again: %v", err)
			}
		})
	}
}
