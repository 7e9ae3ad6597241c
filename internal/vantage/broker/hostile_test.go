package broker

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"mirror/diff"
	"mirror/internal/longtest"
	"mirror/internal/vantage"
)

// thief has the key of an agent.
type thief struct {
	t    *testing.T
	key  nkeys.KeyPair
	conn *nats.Conn

	mu       sync.Mutex
	problems []string
}

func (w *world) thief(place string) *thief {
	w.t.Helper()
	key, err := keyIn(filepath.Join(w.dir, "agent-"+place, "agent.nk"))
	if err != nil {
		w.t.Fatal(err)
	}
	sign, err := signing(key)
	if err != nil {
		w.t.Fatal(err)
	}
	h := &thief{t: w.t, key: key}
	h.conn, err = connect(w.server.URL(), sign, nats.CustomInboxPrefix(inboxPrefix+place), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.problems = append(h.problems, err.Error())
	}))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(h.conn.Close)
	return h
}

// refused does something and wants the broker to refuse it for what it is about.
func (h *thief) refused(what, subject string, do func() error) {
	h.t.Helper()
	if err := do(); err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
	if err := h.conn.Flush(); err != nil { // the server answers in order
		h.t.Fatalf("%s: %v", what, err)
	}
	want := `"` + subject + `"`
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		h.mu.Lock()
		found := slices.ContainsFunc(h.problems, func(p string) bool {
			return strings.Contains(strings.ToLower(p), "permissions violation") && strings.Contains(p, want)
		})
		h.mu.Unlock()
		if found {
			return
		}
		if err := h.conn.Flush(); err != nil {
			h.t.Fatal(err)
		}
	}
	h.t.Errorf("%s: %s is not refused: %q", what, subject, h.problems)
}

// TestAStolenKeyOpensNothingElse has the key of one agent try all that is another's.
func TestAStolenKeyOpensNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, nil)
	w.coordinate()
	w.agent("fra")
	w.agent("nyc")
	if _, err := w.bus.Agents(t.Context()); err != nil { // makes the consumers
		t.Fatal(err)
	}
	h := w.thief("fra")
	for _, subject := range []string{
		">", "mirror.>", "mirror.work.>", "mirror.work.fra.>", "mirror.work.nyc.>", "mirror.result.>", "mirror.result.*", "mirror.hello.*", "mirror.inbox.>",
		"mirror.inbox.nyc.>", "mirror.inbox.*.x", "mirror.window.>", "_INBOX.>", "$JS.>", "$SYS.>", "$JS.EVENT.ADVISORY.>",
	} {
		h.refused("subscribe", subject, func() error { _, err := h.conn.SubscribeSync(subject); return err })
	}
	for _, subject := range []string{
		"mirror.work.nyc.test.c", "mirror.work.fra.test.c", "mirror.result.nyc", "mirror.hello.nyc", "mirror.inbox.nyc.x", "mirror.window.nyc", "mirror.inbox.nyc.window",
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.mirror-work", "$JS.API.STREAM.MSG.GET.mirror-work", "$JS.API.STREAM.MSG.GET.mirror-results",
		"$JS.API.DIRECT.GET.mirror-results", "$JS.API.STREAM.PURGE.mirror-work", "$JS.API.STREAM.DELETE.mirror-results", "$JS.API.CONSUMER.LIST.mirror-work",
		"$JS.API.CONSUMER.INFO.mirror-work.fra", "$JS.API.CONSUMER.CREATE.mirror-work.x", "$JS.API.CONSUMER.DELETE.mirror-work.nyc",
		"$JS.API.CONSUMER.MSG.NEXT.mirror-work.nyc", "$JS.API.CONSUMER.MSG.NEXT.mirror-results.coordinator-test", "$JS.ACK.mirror-work.nyc.1.1.1.1.1",
		"$JS.ACK.mirror-results.coordinator-test.1.1.1.1.1", "$SYS.REQ.SERVER.PING",
	} {
		h.refused("publish", subject, func() error { return h.conn.PublishRequest(subject, inboxPrefix+"fra.reply", nil) })
	}
}

// TestRepliesAreNoResults has the broker itself write to the subjects of another place: it delivers
// replies wherever a client says. Nothing of that counts, and the agent of that place goes on.
func TestRepliesAreNoResults(t *testing.T) {
	longtest.Skip(t, "waits for the deadline of a missing place")
	t.Parallel()
	w := newWorld(t, 10, nil)
	w.coordinate()
	w.agent("nyc")
	w.agent("fra")
	w.stop["fra"]()
	h := w.thief("fra")
	if _, err := w.bus.Agents(t.Context()); err != nil {
		t.Fatal(err)
	}
	item := vantage.Item{Kind: vantage.KindItem, Protocol: vantage.Protocol, Place: "fra", Check: "c", Limit: time.Minute}
	for _, reply := range []string{"mirror.result.nyc", "mirror.work.nyc.test.c"} {
		w.send(item)
		if err := h.conn.PublishRequest("$JS.API.CONSUMER.MSG.NEXT.mirror-work.fra", reply, []byte(`{"batch":1,"no_wait":true}`)); err != nil {
			t.Fatal(err)
		}
		if err := h.conn.PublishRequest("mirror.result.fra", reply, []byte("garbage")); err != nil { // its acknowledgement goes to reply
			t.Fatal(err)
		}
	}
	forged := vantage.Result{Kind: vantage.KindResult, Place: "nyc", Check: "c"}
	data, err := vantage.Encode(forged)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := h.key.Sign(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*nats.Msg{
		{Subject: "mirror.result.fra", Data: data, Header: nats.Header{sigHeader: {base64.RawURLEncoding.EncodeToString(signature)}}}, // of another place
		{Subject: "mirror.result.fra", Data: data},
	} {
		if err := h.conn.PublishMsg(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.conn.Flush(); err != nil {
		t.Fatal(err)
	}
	places := w.places(vantage.Each)
	places.Timeout = 30 * time.Second // fra is gone
	seen, err := places.Look(t.Context(), w.origins, w.look)
	if err != nil {
		t.Fatal(err)
	}
	v := seen.Join(diff.Verdict{}, w.origins, nil, 1)
	if len(v.Origins) != 1 || v.Origins[0].Match != 10 || len(v.Origins[0].Places) != 2 || len(v.Notes) != 1 || !strings.HasPrefix(v.Notes[0], "place fra is missing") {
		t.Errorf("got %+v, notes %q", v.Origins, v.Notes)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.kept) != 1 || w.kept["nyc 0"] == 0 { // it may have come twice
		t.Errorf("kept %v, want the result of nyc alone", w.kept)
	}
}

// TestATokenWorksOnce enrols with a token twice, with one that has expired, and with none.
func TestATokenWorksOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, nil)
	r := newRegistry(w.dir)
	token, err := r.invite("fra", nil)
	if err != nil {
		t.Fatal(err)
	}
	enrol := func(dir, token string) error {
		key, err := keyIn(filepath.Join(w.dir, dir))
		if err != nil {
			return err
		}
		sign, err := signing(key)
		if err != nil {
			return err
		}
		conn, err := connect(w.server.URL(), sign, nats.Token(token))
		if err == nil {
			conn.Close()
		}
		return err
	}
	if err := enrol("one.nk", ""); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("without a token: %v", err)
	}
	if err := errors.Join(enrol("one.nk", token), enrol("one.nk", token), enrol("one.nk", "")); err != nil {
		t.Errorf("the agent of the token: %v", err)
	}
	if err := enrol("two.nk", token); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("another agent with the same token: %v", err)
	}
	late := newRegistry(w.dir)
	late.now = func() time.Time { return time.Now().Add(-2 * TokenValid) }
	if token, err = late.invite("nyc", nil); err != nil {
		t.Fatal(err)
	}
	if err := enrol("two.nk", token); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("a token that has expired: %v", err)
	}
	if err := Remove(w.dir, "fra"); err != nil {
		t.Fatal(err)
	}
	if err := enrol("one.nk", ""); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("an agent that was removed: %v", err)
	}
	if conn, err := nats.Connect(w.server.URL()); err == nil {
		conn.Close()
		t.Error("a client without a key may connect")
	}
}

// TestARemovedAgentIsDisconnected removes the place of an agent that is connected.
func TestARemovedAgentIsDisconnected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, nil)
	w.agent("fra")
	h := w.thief("fra")
	closed := make(chan struct{})
	var once sync.Once
	h.conn.SetDisconnectErrHandler(func(*nats.Conn, error) { once.Do(func() { close(closed) }) })
	h.conn.SetReconnectHandler(nil)
	if err := Remove(w.dir, "fra"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-closed:
	case <-time.After(2 * time.Minute):
		t.Error("it stays connected")
	}
}

// TestTLSBeyondLoopback has a server that listens on all addresses: agents must know its key.
func TestTLSBeyondLoopback(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Serve(ServerOptions{Dir: dir, Listen: "0.0.0.0:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	i, err := Invite(dir, "0.0.0.0:4222", "mirror.example.com", "fra", nil)
	if err != nil || i.Server != "tls://mirror.example.com:4222" || i.Pin == "" {
		t.Errorf("got %+v, %v", i, err)
	}
	key, err := keyIn(filepath.Join(dir, "a.nk"))
	if err != nil {
		t.Fatal(err)
	}
	sign, err := signing(key)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Replace(strings.Replace(s.URL(), "nats://", "tls://", 1), "0.0.0.0", "127.0.0.1", 1)
	if conn, err := connect(at, sign, nats.Token(i.Token), nats.Secure(pinnedTLS("other"))); !errors.Is(err, errPin) {
		t.Errorf("a server with another key: %v, %v", conn, err)
	}
	conn, err := connect(at, sign, nats.Token(i.Token), nats.Secure(pinnedTLS(i.Pin)))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
