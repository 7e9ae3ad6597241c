package broker

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"mirror/internal/atomicfile"
	"mirror/internal/netname"
	"mirror/internal/regular"
)

// ErrTaken means that another process of the same state folder runs the server.
var ErrTaken = errors.New("another process runs the server")

// Server is the embedded broker.
type Server struct {
	nats  *server.Server
	lock  *flock.Flock
	stop  chan struct{}
	ended sync.WaitGroup
	once  sync.Once
	err   error // of the first Close
}

// ServerOptions say how the embedded broker runs.
type ServerOptions struct {
	Dir    string // for what is stored; made where it is missing
	Listen string // host:port
	Log    *slog.Logger
}

// Serve starts the embedded broker. It returns ErrTaken where another process has the folder.
func Serve(o ServerOptions) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(o.Dir, "server.lock"), flock.SetFlag(regular.LockFlags))
	if held, err := lock.TryLock(); err != nil || !held {
		return nil, errors.Join(err, ErrTaken)
	}
	s := &Server{lock: lock, stop: make(chan struct{})}
	if err := s.start(o); err != nil {
		return nil, errors.Join(fmt.Errorf("the server for agents: %w", err), s.Close())
	}
	return s, nil
}

func (s *Server) start(o ServerOptions) error {
	options, err := serverOptions(o)
	if err != nil {
		return err
	}
	key, err := coordinatorKey(o.Dir)
	if err != nil {
		return err
	}
	public, err := key.PublicKey()
	if err != nil {
		return err
	}
	gate := &gate{registry: newRegistry(o.Dir), coordinator: public, log: o.Log, clients: map[uint64]string{}}
	options.CustomClientAuthentication = gate
	if s.nats, err = server.NewServer(options); err != nil {
		return err
	}
	s.nats.SetLoggerV2(serverLog{o.Log}, false, false, false)
	s.nats.Start()
	if !s.nats.ReadyForConnections(setUpWithin) {
		return fmt.Errorf("it was not ready within %s (hint: is %s free?)", setUpWithin, o.Listen)
	}
	s.ended.Go(func() { gate.evict(s.nats, s.stop) })
	return nil
}

func serverOptions(o ServerOptions) (*server.Options, error) {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	if number == 0 {
		number = server.RANDOM_PORT
	}
	options := &server.Options{
		ServerName: "mirror", Host: host, Port: number, NoSigs: true, NoSystemAccount: false, JetStream: true, StoreDir: filepath.Join(o.Dir, "store"),
		SyncAlways: true, JetStreamMaxStore: maxStore, JetStreamMaxMemory: 64 << 20, MaxPayload: maxItemSize, MaxConn: 4 * maxPlaces,
		AlwaysEnableNonce: true, AuthTimeout: 5, WriteDeadline: 10 * time.Second, PingInterval: 10 * time.Second, MaxPingsOut: 2, MaxControlLine: 4 << 10,
		MaxSubs: 64, DisableShortFirstPing: true,
	}
	if !netname.IsLoopback(host) {
		if options.TLSConfig, err = serverTLS(o.Dir); err != nil {
			return nil, err
		}
		options.TLS, options.TLSTimeout = true, 5
	}
	return options, nil
}

// URL is where clients connect to.
func (s *Server) URL() string { return s.nats.ClientURL() }

// Close stops the server and waits for its end.
func (s *Server) Close() error {
	s.once.Do(func() { s.err = s.close() })
	return s.err
}

func (s *Server) close() error {
	if s.nats != nil {
		close(s.stop)
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	}
	s.ended.Wait()
	return s.lock.Close()
}

// gate decides who may connect, and what they may do.
type gate struct {
	registry    *registry
	coordinator string // public key
	log         *slog.Logger

	mu      sync.Mutex
	clients map[uint64]string // key by the client's number
}

// Check is called by the server for each client: its signature must be of the key that it names, and the
// key must be the coordinator's, that of a place, or come with a token.
func (g *gate) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o == nil || !signed(o.Nkey, o.Sig, c.GetNonce()) {
		return false
	}
	if o.Nkey == g.coordinator {
		c.RegisterUser(&server.User{Username: "coordinator"})
		return true
	}
	place, ok := g.registry.of(o.Nkey)
	if !ok && o.Token != "" {
		var err error
		if place, err = g.registry.enrol(o.Nkey, o.Token); err != nil {
			g.log.Warn("an agent was not enrolled", "from", c.RemoteAddress(), "err", err)
			return false
		}
		ok = true
		g.log.Info("an agent was enrolled", "place", place, "from", c.RemoteAddress())
	}
	if !ok {
		return false
	}
	g.mu.Lock()
	g.clients[c.GetID()] = o.Nkey
	g.mu.Unlock()
	c.RegisterUser(&server.User{Username: place, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: mayPublish(place)},
		Subscribe: &server.SubjectPermission{Allow: maySubscribe(place)},
	}})
	return true
}

// signed reports whether a signature of the server's nonce is of a key.
func signed(key, signature string, nonce []byte) bool {
	if key == "" || len(nonce) == 0 {
		return false
	}
	public, err := nkeys.FromPublicKey(key)
	if err != nil || !nkeys.IsValidPublicUserKey(key) {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		if raw, err = base64.StdEncoding.DecodeString(signature); err != nil {
			return false
		}
	}
	return public.Verify(nonce, raw) == nil
}

// evictEvery is how often agents are looked for that have no place any more.
const evictEvery = time.Second

// evict ends the connections of agents whose place was removed or was given to another agent.
func (g *gate) evict(s *server.Server, stop <-chan struct{}) {
	round := time.NewTicker(evictEvery)
	defer round.Stop()
	for {
		select {
		case <-stop:
			return
		case <-round.C:
		}
		g.mu.Lock()
		for id, key := range g.clients {
			if _, ok := g.registry.of(key); ok && s.GetClient(id) != nil {
				continue
			}
			_ = s.DisconnectClientByID(id) // it may have gone by itself
			delete(g.clients, id)
		}
		g.mu.Unlock()
	}
}

// coordinatorKey returns the key of the coordinators of a folder, which the first one makes.
func coordinatorKey(dir string) (nkeys.KeyPair, error) {
	return keyIn(filepath.Join(dir, "coordinator.nk"))
}

// maxKeyFile bounds the file of a key, in bytes.
const maxKeyFile = 4 << 10

// keyIn returns the key in a file, which is made where it is missing.
func keyIn(file string) (nkeys.KeyPair, error) {
	seed, err := regular.ReadFile(file, maxKeyFile)
	if err == nil {
		return nkeys.FromSeed(seed)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	key, err := nkeys.CreatePairWithRand(nkeys.PrefixByteUser, rand.Reader)
	if err != nil {
		return nil, err
	}
	if seed, err = key.Seed(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	return key, atomicfile.WriteFile(file, seed, 0o600)
}

// clientURL is the URL of the server that listens at an address.
func clientURL(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	scheme := "tls"
	if netname.IsLoopback(host) {
		scheme = "nats"
	}
	return (&url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}).String(), nil
}

// serverLog has the server's messages in the program's log: its notices are details there.
type serverLog struct{ *slog.Logger }

// Noticef tells a detail.
func (l serverLog) Noticef(format string, v ...any) { l.Debug("agents: " + fmt.Sprintf(format, v...)) }

// Warnf tells a warning.
func (l serverLog) Warnf(format string, v ...any) { l.Debug("agents: " + fmt.Sprintf(format, v...)) }

// Fatalf tells an error: the program goes on.
func (l serverLog) Fatalf(format string, v ...any) { l.Error("agents: " + fmt.Sprintf(format, v...)) }

// Errorf tells an error.
func (l serverLog) Errorf(format string, v ...any) {
	l.Logger.Warn("agents: " + fmt.Sprintf(format, v...))
}

// Debugf tells nothing.
func (serverLog) Debugf(string, ...any) {}

// Tracef tells nothing.
func (serverLog) Tracef(string, ...any) {}
