package broker

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"mirror/internal/vantage"
)

// What an agent gives up for is told with the way out.
func TestAgentErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err   error
		token string
		want  string
	}{
		{nats.ErrAuthorization, "t", "prints a new line"}, {nats.ErrAuthorization, "", "mirror agent list"}, {nats.ErrSecureConnWanted, "t", "nats:// or tls://"},
		{nats.ErrNoServers, "t", "start mirror daemon there"}, {errors.New("another"), "t", ""},
		{nats.ErrNoInfoReceived, "t", "no NATS server"}, {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "t", "no NATS server"}, {&net.DNSError{}, "t", "vantages.address"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "t", "start mirror daemon there"},
	} {
		a := &runner{options: AgentOptions{Token: tc.token}}
		if got := a.hint(tc.err); !strings.Contains(got, tc.want) || (got == "") != (tc.want == "") {
			t.Errorf("%v: got %q, want %q", tc.err, got, tc.want)
		}
	}
	err := Run(t.Context(), AgentOptions{Dir: t.TempDir(), Token: "t", Join: Joined{Place: "fra", Server: "nats://127.0.0.1:1"}})
	if err == nil || !strings.Contains(err.Error(), "start mirror daemon there") {
		t.Errorf("nothing listens: got %v", err)
	}
}

// TestAnAgentOfAnotherPlaceEnds has an agent call itself by another place than that of its token.
func TestAnAgentOfAnotherPlaceEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, nil)
	token, err := newRegistry(w.dir).invite("fra", nil)
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), AgentOptions{Dir: t.TempDir(), Token: token, Join: Joined{Place: "ams", Server: w.server.URL(), Pins: vantage.PinsOf(w.origins)}, Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, errRights) || !strings.Contains(err.Error(), "place ams") {
		t.Errorf("got %v", err)
	}
}
