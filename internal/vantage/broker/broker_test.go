package broker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/longtest"
	"mirror/internal/origin"
	"mirror/internal/vantage"
	"mirror/site"
)

// world is a broker with a coordinator, and agents that look at one origin.
type world struct {
	t       *testing.T
	dir     string
	server  *Server
	bus     *Coordinator
	origins []origin.Endpoint
	look    check.Options

	mu   sync.Mutex
	kept map[string]int // results, by place and part
	stop map[string]func()
}

func newWorld(t *testing.T, pages int, h func(path string) http.HandlerFunc) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), kept: map[string]int{}, stop: map[string]func(){}}
	live := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if h != nil {
			if f := h(r.URL.Path); f != nil {
				f(rw, r)
				return
			}
		}
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/p%d.html", &n); err != nil || n >= pages {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(rw, pageText(n))
	}))
	t.Cleanup(live.Close)
	u, err := url.Parse(live.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	w.origins = []origin.Endpoint{{Name: "web", URL: u, Options: origin.Options{Concurrency: 4, Timeout: time.Minute}}}
	for n := range pages {
		text := pageText(n)
		w.look.Manifest = append(w.look.Manifest, site.File{Path: fmt.Sprintf("p%d.html", n), Size: int64(len(text)), Digest: sha256.Sum256([]byte(text))})
	}
	w.look.Manifest.Sort()
	w.serve("127.0.0.1:0")
	return w
}

func pageText(n int) string { return fmt.Sprintf("<p>page %d", n) }

func (w *world) serve(listen string) {
	w.t.Helper()
	var err error
	if w.server, err = Serve(ServerOptions{Dir: w.dir, Listen: listen, Log: slog.New(slog.DiscardHandler)}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.server.Close() })
}

// coordinate connects the coordinator.
func (w *world) coordinate() {
	w.t.Helper()
	bus, err := Connect(w.t.Context(), CoordinatorOptions{Dir: w.dir, URL: w.server.URL(), Owner: "test", Log: slog.New(slog.DiscardHandler), Keep: func(_ context.Context, place string, r vantage.Result, _ time.Time) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.kept[fmt.Sprint(place, " ", r.Part)]++
		return nil
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.bus = bus
	w.t.Cleanup(bus.Close)
}

// agent enrols and runs an agent until the test ends or stop[place] is called.
func (w *world) agent(place string) {
	w.t.Helper()
	token, err := newRegistry(w.dir).invite(place, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(w.t.Context())
	var all sync.WaitGroup
	w.stop[place] = func() { stop(); all.Wait() }
	w.t.Cleanup(w.stop[place])
	connected := make(chan struct{})
	all.Go(func() {
		err := Run(ctx, AgentOptions{
			Dir: filepath.Join(w.dir, "agent-"+place), Join: Joined{Place: place, Server: w.server.URL(), Pins: vantage.PinsOf(w.origins)}, Token: token,
			Log: slog.New(slog.DiscardHandler), Connected: func() { close(connected) },
		})
		if err != nil && ctx.Err() == nil {
			w.t.Error(err)
			close(connected)
		}
	})
	<-connected
}

// send queues an item. A machine that stands still for a while is no fault: it is sent again.
func (w *world) send(item vantage.Item) {
	w.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; {
		err := w.bus.Send(w.t.Context(), item)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			w.t.Fatal(err)
		}
	}
}

// connect connects a client of the test's own, which a machine that stands still for a while does not keep out.
func connect(at string, options ...nats.Option) (conn *nats.Conn, err error) {
	options = append(options, nats.Timeout(time.Minute))
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		conn, err = nats.Connect(at, options...)
		if err == nil || errors.Is(err, nats.ErrAuthorization) || errors.Is(err, errPin) {
			break
		}
	}
	return conn, err
}

func (w *world) places(mode vantage.Mode) *vantage.Places {
	return &vantage.Places{Bus: w.bus, Mode: mode, Timeout: 2 * time.Minute, Log: slog.New(slog.DiscardHandler), NewID: rand.Text}
}

// TestPlacesLookAtTheOrigin has three agents look at one origin, in both modes.
func TestPlacesLookAtTheOrigin(t *testing.T) {
	longtest.Skip(t, "publishes from several places")
	t.Parallel()
	w := newWorld(t, 1200, func(path string) http.HandlerFunc {
		if path == "/p7.html" {
			return http.NotFound
		}
		return nil
	})
	w.coordinate()
	names := []string{"ams", "fra", "nyc"}
	for _, place := range names {
		w.agent(place)
	}
	for _, mode := range []vantage.Mode{vantage.Each, vantage.Spread} {
		seen, err := w.places(mode).Look(t.Context(), w.origins, w.look)
		if err != nil {
			t.Fatal(err)
		}
		v := seen.Join(diff.Verdict{Pages: 1200}, w.origins, nil, 1)
		if len(v.Notes) > 0 || len(v.Origins) != 1 || v.Origins[0].Pages != 1200 || v.Origins[0].Match != 1199 {
			t.Errorf("%s: got %d of %d pages, notes %q", mode, v.Origins[0].Match, v.Origins[0].Pages, v.Notes)
		}
		want := "missing p7.html"
		var got []string
		for _, d := range v.Origins[0].Differences {
			got = append(got, string(d.Kind)+" "+d.Path)
			if mode == vantage.Each && !slices.Equal(d.Places, names) {
				t.Errorf("%s: seen from %q", mode, d.Places)
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: got %q, want %q", mode, got, want)
		}
	}
}
