package broker

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mirror/internal/vantage"
)

// TestAPlaceIsKnownAfterARestart has the coordinator of an external server be started again while the agent of a place is away.
func TestAPlaceIsKnownAfterARestart(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(2 * time.Minute) {
		t.Fatal("the server is not ready")
	}
	connect := func() *Coordinator {
		t.Helper()
		c, err := Connect(t.Context(), CoordinatorOptions{Dir: t.TempDir(), URL: s.ClientURL(), External: true, Owner: "test", Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	places := func(c *Coordinator) (names []string) {
		t.Helper()
		all, err := c.Agents(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			names = append(names, a.Place)
		}
		return names
	}
	first := connect()
	for end := time.Now().Add(2 * time.Minute); len(places(first)) == 0 && time.Now().Before(end); {
		if err := first.conn.Publish(helloSubject+"fra", []byte(`{"Oldest":1,"Newest":2,"Boot":"x"}`)); err != nil {
			t.Fatal(err)
		}
		if err := first.conn.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	first.Close()
	second := connect()
	if got := places(second); !slices.Equal(got, []string{"fra"}) {
		t.Errorf("after the restart the places are %q", got)
	}
	if all, err := second.Agents(t.Context()); err != nil || len(all) != 1 || !all[0].Heard.IsZero() || vantage.ValidPlace(all[0].Place) != nil {
		t.Errorf("got %+v, %v", all, err)
	}
}
