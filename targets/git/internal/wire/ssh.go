package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// sshRemote runs git's services at the other end of an ssh connection.
type sshRemote struct {
	name       string // host:port as known_hosts has it
	user       string
	path       string
	keys       []string // files of private keys, the first that the server takes wins
	password   string
	agent      bool
	knownHosts []string
}

// handshakeTimeout bounds connecting and logging in.
const handshakeTimeout = 30 * time.Second

func newSSHRemote(place *transport.Endpoint, o Options) (*sshRemote, error) {
	host, port := place.Host, place.Port
	if alias := sshConfig(place.Host, "Hostname"); alias != "" {
		host = alias
	}
	if port == 0 || port == gitssh.DefaultPort {
		port = gitssh.DefaultPort
		if n, err := strconv.Atoi(sshConfig(place.Host, "Port")); err == nil {
			port = n
		}
	}
	r := &sshRemote{
		name: net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(port)),
		user: sshUser(place), path: sshPath(place.Path), password: o.Login.Password,
	}
	if o.KnownHosts != "" {
		r.knownHosts = []string{expandHome(o.KnownHosts)}
	}
	if o.SSHKey != "" {
		r.keys = []string{expandHome(o.SSHKey)}
		return r, nil
	}
	r.agent, r.keys = true, defaultKeys(place.Host)
	return r, nil
}

// sshConfig looks a setting up in the user's ssh_config.
func sshConfig(host, key string) string {
	if gitssh.DefaultSSHConfig == nil {
		return ""
	}
	return gitssh.DefaultSSHConfig.Get(host, key)
}

func sshUser(place *transport.Endpoint) string {
	if place.User != "" {
		return place.User
	}
	if name := sshConfig(place.Host, "User"); name != "" {
		return name
	}
	if me, err := user.Current(); err == nil {
		return me.Username
	}
	return "git"
}

// sshPath turns /~user/path of a URL into what the server's shell knows.
func sshPath(path string) string {
	if strings.HasPrefix(path, "/~") {
		return path[1:]
	}
	return path
}

func defaultKeys(host string) []string {
	var keys []string
	if file := sshConfig(host, "IdentityFile"); file != "" {
		keys = append(keys, expandHome(file))
	}
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		keys = append(keys, expandHome(filepath.Join("~", ".ssh", name)))
	}
	return keys
}

func expandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return path
	}
	return filepath.Join(home, rest)
}

func (r *sshRemote) dial(ctx context.Context, s Service) (conversation, error) {
	client, err := r.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("ssh to %s: %w", r.name, err)
	}
	c, err := r.run(ctx, client, s)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ssh to %s: %w", r.name, err), client.Close())
	}
	return c, nil
}

// connect logs in. The connection is closed when ctx ends or time is up: the handshake
// itself would wait for a silent server for ever.
func (r *sshRemote) connect(ctx context.Context) (*ssh.Client, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout,
		fmt.Errorf("the server did not let us in within %s", handshakeTimeout))
	defer cancel()
	keys, closeAgent := r.dialAgent(ctx)
	defer closeAgent()
	config, err := r.config(keys)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.name)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	c, chans, reqs, err := ssh.NewClientConn(conn, r.name, config)
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, r.explain(err)
	}
	return ssh.NewClient(c, chans, reqs), nil
}

// dialAgent gives the keys of the user's agent, none where none runs. The agent signs
// with them, so its connection has to outlive the handshake.
func (r *sshRemote) dialAgent(ctx context.Context) (keys []ssh.Signer, done func()) {
	socket := os.Getenv("SSH_AUTH_SOCK")
	if !r.agent || socket == "" {
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

func (r *sshRemote) explain(err error) error {
	host, _, _ := net.SplitHostPort(r.name) // JoinHostPort made it
	switch {
	case knownhosts.IsHostUnknown(err):
		return fmt.Errorf("%w (hint: check the host's key, then: ssh-keyscan %s >> ~/.ssh/known_hosts)", err, host)
	case knownhosts.IsHostKeyChanged(err):
		return fmt.Errorf("%w (hint: the host's key is not the one in known_hosts; somebody may be in between)", err)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return fmt.Errorf("%w (hint: load the key into ssh-agent, or name its file with ssh_key)", err)
	}
	return err
}

func (r *sshRemote) config(agentKeys []ssh.Signer) (*ssh.ClientConfig, error) {
	db, err := gitssh.NewKnownHostsDb(r.knownHosts...)
	if err != nil {
		return nil, fmt.Errorf("known_hosts: %w", err)
	}
	auth, err := r.auth(agentKeys)
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User: r.user, Auth: auth,
		HostKeyCallback:   db.HostKeyCallback(),
		HostKeyAlgorithms: db.HostKeyAlgorithms(r.name),
	}, nil
}

// auth offers the agent's keys and those of the files in one method: ssh tries each kind
// of method only once.
func (r *sshRemote) auth(keys []ssh.Signer) ([]ssh.AuthMethod, error) {
	for _, file := range r.keys {
		key, err := gitssh.NewPublicKeysFromFile(r.user, file, "")
		switch {
		case err == nil:
			keys = append(keys, key.Signer)
		case !r.agent: // the one file that the config names
			return nil, fmt.Errorf("ssh_key %s: %w (hint: a key with a passphrase goes through ssh-agent)", file, err)
		}
	}
	methods := []ssh.AuthMethod{ssh.PublicKeys(keys...)}
	if r.password != "" {
		methods = append(methods, ssh.Password(r.password))
	}
	return methods, nil
}

// run starts a service.
func (r *sshRemote) run(ctx context.Context, client *ssh.Client, s Service) (conversation, error) {
	session, err := client.NewSession()
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
	stderr := &words{}
	session.Stderr = stderr
	c := newStream(ctx, program{
		in: in, out: out,
		kill: func() { _ = client.Close() }, // a second close is no news
		wait: func() error { return errors.Join(session.Wait(), ignoreClosed(client.Close())) },
	}, stderr, silence)
	if err := session.Start(string(s) + " " + shellQuote(r.path)); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// shellQuote quotes as git itself does: the server's shell, or git-shell, reads it.
func shellQuote(path string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(path) + "'"
}
