package broker

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"mirror/diff"
	"mirror/internal/longtest"
	"mirror/internal/vantage"
)

// cluster is three NATS servers with JetStream, and an operator who issues credentials.
type cluster struct {
	t       *testing.T
	dir     string
	nodes   []*server.Server
	account nkeys.KeyPair
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir()}
	operator := c.key(nkeys.CreateOperator)
	c.account = c.key(nkeys.CreateAccount)
	system := c.key(nkeys.CreateAccount)
	resolver := &server.MemAccResolver{}
	for _, account := range []nkeys.KeyPair{c.account, system} {
		claims := jwt.NewAccountClaims(c.public(account))
		if account == c.account {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: -1, MemoryStorage: -1, Streams: -1, Consumer: -1}
		}
		c.check(resolver.Store(c.public(account), c.encode(claims, operator)))
	}
	trusted := jwt.NewOperatorClaims(c.public(operator))
	trusted.SystemAccount = c.public(system)
	trusted, err := jwt.DecodeOperatorClaims(c.encode(trusted, operator))
	c.check(err)
	for i := range 3 {
		o := &server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: filepath.Join(c.dir, fmt.Sprint("n", i)), SyncAlways: true,
			Cluster:          server.ClusterOpts{Name: "mirror", Host: "127.0.0.1", Port: server.RANDOM_PORT},
			TrustedOperators: []*jwt.OperatorClaims{trusted}, AccountResolver: resolver, SystemAccount: c.public(system),
		}
		// A node wants to be told of three: those that are not there yet find it by those that are.
		for n := range 3 {
			route := &url.URL{Scheme: "nats", Host: "127.0.0.1:1"}
			if n < len(c.nodes) {
				route.Host = c.nodes[n].ClusterAddr().String()
			}
			o.Routes = append(o.Routes, route)
		}
		node, err := server.NewServer(o)
		c.check(err)
		node.Start()
		t.Cleanup(func() { node.Shutdown(); node.WaitForShutdown() })
		for end := time.Now().Add(time.Minute); node.ClusterAddr() == nil; {
			if time.Now().After(end) {
				t.Fatal("a node did not start")
			}
			pause(t.Context(), 10*time.Millisecond)
		}
		c.nodes = append(c.nodes, node)
	}
	for _, node := range c.nodes {
		if !node.ReadyForConnections(2 * time.Minute) {
			t.Fatal("a node is not ready")
		}
	}
	return c
}

func (c *cluster) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) key(create func() (nkeys.KeyPair, error)) nkeys.KeyPair {
	key, err := create()
	c.check(err)
	return key
}

func (c *cluster) public(key nkeys.KeyPair) string {
	public, err := key.PublicKey()
	c.check(err)
	return public
}

func (c *cluster) encode(claims jwt.Claims, by nkeys.KeyPair) string {
	text, err := claims.Encode(by)
	c.check(err)
	return text
}

// credentials issues credentials, with the permissions of a place, or all of them for "".
func (c *cluster) credentials(place string) (file string) {
	user := c.key(nkeys.CreateUser)
	claims := jwt.NewUserClaims(c.public(user))
	if place != "" {
		claims.Pub.Allow = mayPublish(place)
		claims.Sub.Allow = maySubscribe(place)
	}
	seed, err := user.Seed()
	c.check(err)
	text, err := jwt.FormatUserConfig(c.encode(claims, c.account), seed)
	c.check(err)
	file = filepath.Join(c.dir, place+".creds")
	c.check(os.WriteFile(file, text, 0o600))
	return file
}

func (c *cluster) urls() string {
	var all []string
	for _, node := range c.nodes {
		all = append(all, node.ClientURL())
	}
	return strings.Join(all, ",")
}

// connect connects a coordinator, when the cluster has chosen its leader.
func (c *cluster) connect() *Coordinator {
	c.t.Helper()
	o := CoordinatorOptions{Dir: c.dir, URL: c.urls(), Credentials: c.credentials(""), External: true, Transient: true, Owner: "test", Log: slog.New(slog.DiscardHandler)}
	var err error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		var bus *Coordinator
		if bus, err = Connect(c.t.Context(), o); err == nil {
			c.t.Cleanup(bus.Close)
			return bus
		}
	}
	c.t.Fatal(err)
	return nil
}

// run runs the agent of a place until the test ends.
func (c *cluster) run(w *world, place string, all *sync.WaitGroup) {
	ctx, stop := context.WithCancel(c.t.Context())
	c.t.Cleanup(stop)
	joined := Joined{Place: place, Server: c.urls(), Credentials: c.credentials(place), Pins: vantage.PinsOf(w.origins)}
	connected := make(chan struct{})
	all.Go(func() {
		err := Run(ctx, AgentOptions{Dir: filepath.Join(c.dir, "agent-"+place), Join: joined, Log: slog.New(slog.DiscardHandler), Connected: func() { close(connected) }})
		if err != nil && ctx.Err() == nil {
			c.t.Error(err)
			close(connected)
		}
	})
	<-connected
}

// TestChecksGoOnWhenANodeOfTheClusterFails has agents look through a cluster of three NATS servers, with the permissions
// that docs/vantages.md names, before and after the node fails that the coordinator is connected to.
func TestChecksGoOnWhenANodeOfTheClusterFails(t *testing.T) {
	longtest.Skip(t, "waits for elections of a cluster")
	t.Parallel()
	w := newWorld(t, 30, nil)
	c := newCluster(t)
	var agents sync.WaitGroup
	t.Cleanup(agents.Wait)
	for _, place := range []string{"ams", "fra"} {
		c.run(w, place, &agents)
	}
	bus := c.connect()
	for _, node := range []string{"", bus.conn.ConnectedServerName()} {
		for _, n := range c.nodes {
			if n.Name() == node {
				n.Shutdown()
			}
		}
		// What an election of a new leader takes is part of the time of a check.
		p := &vantage.Places{Bus: bus, Mode: vantage.Each, Timeout: 3 * time.Minute, Log: slog.New(slog.DiscardHandler), NewID: rand.Text}
		var v diff.Verdict
		for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); {
			seen, err := p.Look(t.Context(), w.origins, w.look)
			if err != nil {
				pause(t.Context(), 100*time.Millisecond) // the agents' consumers are made when a leader is there
				continue
			}
			if v = seen.Join(diff.Verdict{}, w.origins, nil, 1); len(v.Origins) == 1 && len(v.Notes) == 0 {
				break
			}
		}
		if len(v.Origins) != 1 || len(v.Notes) > 0 || v.Origins[0].Match != 30 || len(v.Origins[0].Places) != 2 {
			t.Fatalf("without node %q: got %+v", node, v)
		}
	}
}
