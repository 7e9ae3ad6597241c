package broker

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
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
