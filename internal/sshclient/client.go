package sshclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"mirror/internal/netname"

	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// client is an ssh client of our own, for machines without one.
type client struct {
	host     Host
	options  Options
	name     string // host:port to connect to
	known    string // host:port as known_hosts has it
	user     string
	settings settings
}

// handshakeTimeout bounds connecting and logging in.
const handshakeTimeout = 30 * time.Second

func newClient(host Host, o Options) (*client, error) {
	s, err := readSettings(host)
	if err != nil {
		return nil, err
	}
	return clientWith(host, o, s), nil
}

func clientWith(host Host, o Options, s settings) *client {
	port := strconv.Itoa(defaultPort)
	switch {
	case host.Port != 0:
		port = strconv.Itoa(host.Port)
	case s.port != "":
		port = s.port
	}
	c := &client{host: host, options: o, name: net.JoinHostPort(s.hostName, port), settings: s}
	if c.known = c.name; s.hostKeyAlias != "" {
		c.known = net.JoinHostPort(s.hostKeyAlias, strconv.Itoa(defaultPort))
	}
	if o.KnownHosts != "" {
		c.settings.knownHosts = []string{o.KnownHosts}
	}
	c.user = c.chooseUser()
	return c
}

func (c *client) chooseUser() string {
	if c.host.User != "" {
		return c.host.User
	}
	if c.settings.user != "" {
		return c.settings.user
	}
	if me, err := user.Current(); err == nil {
		return me.Username
	}
	return "git"
}

// Hint says what ssh itself would be told; this client's errors have their hints already.
func (c *client) Hint(_ context.Context, said string) string {
	return hint(c.host, c.options, said, nil)
}

// Run connects, logs in and starts the command.
func (c *client) Run(ctx context.Context, command string, stderr io.Writer) (*Process, error) {
	return c.begin(ctx, stderr, func(s *ssh.Session) error { return s.Start(command) })
}

// Subsystem connects, logs in and starts the subsystem.
func (c *client) Subsystem(ctx context.Context, name string, stderr io.Writer) (*Process, error) {
	p, err := c.begin(ctx, stderr, func(s *ssh.Session) error { return s.RequestSubsystem(name) })
	if err == nil {
		p.Wait = func() error { p.Kill(); return nil } // a session has no end to wait for but that of a command
	}
	return p, err
}

func (c *client) begin(ctx context.Context, stderr io.Writer, what func(*ssh.Session) error) (*Process, error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	silent := context.AfterFunc(ctx, func() { _ = conn.Close() }) // while the session is opened
	p, err := start(conn, stderr, what)
	silent()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	stop, wait := context.AfterFunc(ctx, p.Kill), p.Wait
	p.Wait = func() error { defer stop(); return wait() }
	return p, nil
}

// connect logs in. The connection is closed when ctx ends or time is up: the handshake
// itself would wait for a silent server for ever.
func (c *client) connect(ctx context.Context) (*ssh.Client, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout,
		fmt.Errorf("the server did not let us in within %s", handshakeTimeout))
	defer cancel()
	keys, closeAgent := c.dialAgent(ctx)
	defer closeAgent()
	config, err := c.config(keys)
	if err != nil {
		return nil, err
	}
	conn, err := netname.Dial(&net.Dialer{})(ctx, "tcp", c.name)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	in, chans, reqs, err := ssh.NewClientConn(conn, c.known, config)
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, c.explain(err)
	}
	return ssh.NewClient(in, chans, reqs), nil
}

// dialAgent gives the keys of the user's agent, none where none runs. The agent signs
// with them, so its connection has to outlive the handshake.
func (c *client) dialAgent(ctx context.Context) (keys []ssh.Signer, done func()) {
	socket := c.options.Getenv("SSH_AUTH_SOCK")
	if c.options.Key != "" || c.settings.identitiesOnly || socket == "" {
		return nil, func() {}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, func() {}
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	if keys, err = agent.NewClient(conn).Signers(); err != nil {
		keys = nil
	}
	return keys, func() { stop(); conn.Close() }
}

func (c *client) explain(err error) error {
	name, port, _ := net.SplitHostPort(c.name) // JoinHostPort made it
	n, _ := strconv.Atoi(port)
	switch {
	case knownhosts.IsHostUnknown(err):
		return fmt.Errorf("%w (hint: check the host's key, then: %s)", err, keyscan(name, n, knownHosts(c.options, "")))
	case knownhosts.IsHostKeyChanged(err):
		return fmt.Errorf("%w%s", err, hint(c.host, c.options, "IDENTIFICATION HAS CHANGED", nil))
	case strings.Contains(err.Error(), "unable to authenticate"):
		return fmt.Errorf("%w%s", err, hint(c.host, c.options, "Permission denied", nil))
	}
	return err
}

func (c *client) config(agentKeys []ssh.Signer) (*ssh.ClientConfig, error) {
	db, err := gitssh.NewKnownHostsDb(c.settings.knownHosts...)
	if err != nil {
		return nil, fmt.Errorf("known_hosts: %w", err)
	}
	auth, err := c.auth(agentKeys)
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User: c.user, Auth: auth,
		HostKeyCallback:   db.HostKeyCallback(),
		HostKeyAlgorithms: db.HostKeyAlgorithms(c.known),
	}, nil
}

// auth offers the agent's keys and those of the files in one method: ssh tries each kind
// of method only once.
func (c *client) auth(keys []ssh.Signer) ([]ssh.AuthMethod, error) {
	files := c.settings.identityFiles
	if c.options.Key != "" {
		files = []string{c.options.Key}
	}
	for _, file := range files {
		loaded, err := loadKey(c.user, file)
		if err != nil && c.options.Key != "" { // the one file that the config names
			return nil, fmt.Errorf("ssh_key %s: %w (hint: a key with a passphrase goes through ssh-agent)", file, err)
		}
		keys = append(keys, loaded...)
	}
	methods := []ssh.AuthMethod{ssh.PublicKeys(keys...)}
	if c.host.Password != "" {
		methods = append(methods, ssh.Password(c.host.Password))
	}
	return methods, nil
}

// loadKey reads a private key, and the certificate beside it if there is one: it goes first.
func loadKey(user, file string) ([]ssh.Signer, error) {
	key, err := gitssh.NewPublicKeysFromFile(user, file, "")
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file + "-cert.pub")
	if err != nil {
		return []ssh.Signer{key.Signer}, nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s-cert.pub: %w", file, err)
	}
	cert, ok := public.(*ssh.Certificate)
	if !ok {
		return []ssh.Signer{key.Signer}, nil
	}
	signer, err := ssh.NewCertSigner(cert, key.Signer)
	if err != nil {
		return nil, fmt.Errorf("%s-cert.pub: %w", file, err)
	}
	return []ssh.Signer{signer, key.Signer}, nil
}

// start opens a session for a command or a subsystem.
func start(conn *ssh.Client, stderr io.Writer, what func(*ssh.Session) error) (*Process, error) {
	session, err := conn.NewSession()
	if err != nil {
		return nil, err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	session.Stderr = stderr
	return &Process{
		In: in, Out: out,
		Kill: func() { _ = conn.Close() }, // a second close is no news
		Wait: func() error { return errors.Join(session.Wait(), ignoreClosed(conn.Close())) },
	}, what(session)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
