package sshsig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"mirror/internal/regular"
)

// Agent names the first key of the agent in place of a file.
const Agent = "agent"

const (
	maxKey     = 64 << 10 // bytes of a key's file
	agentLimit = time.Minute
)

// Load reads a key: the file of a private key; that of a public key, or of a private one with a
// passphrase, whose private part the agent has; or Agent. It asks the agent nothing yet. No error
// holds anything of a file's content.
func Load(name string, getenv func(string) string) (*Key, error) {
	k := &Key{name: name}
	if getenv != nil {
		k.socket = getenv("SSH_AUTH_SOCK")
	}
	if name == Agent {
		return k, k.needAgent("it names the agent's key")
	}
	path := expand(name, getenv)
	text, err := regular.ReadFile(path, maxKey)
	if err != nil {
		return nil, fmt.Errorf("signing_key: %w", err)
	}
	if k.public, _, _, _, err = ssh.ParseAuthorizedKey(text); err == nil && !bytes.Contains(text, []byte("PRIVATE KEY")) {
		return k, k.needAgent("it is a public key")
	}
	k.signer, err = ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return k, nil
	case !errors.As(err, &locked):
		return nil, fmt.Errorf("signing_key %s: it is not an ssh key (hint: ssh-keygen -t ed25519 makes one)", name)
	}
	if k.public = locked.PublicKey; k.public == nil {
		k.public = publicBeside(path)
	}
	if k.public == nil {
		return nil, fmt.Errorf("signing_key %s: it has a passphrase, and there is no %s.pub that tells which key of the agent it is", name, filepath.Base(name))
	}
	return k, k.needAgent("it has a passphrase")
}

// expand replaces ~/ at the beginning.
func expand(name string, getenv func(string) string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok && getenv != nil && getenv("HOME") != "" {
		return filepath.Join(getenv("HOME"), rest)
	}
	return name
}

// publicBeside reads the public key beside a private one, nil where there is none.
func publicBeside(path string) ssh.PublicKey {
	text, err := regular.ReadFile(path+".pub", maxKey)
	if err != nil {
		return nil
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil
	}
	return key
}

func (k *Key) needAgent(why string) error {
	k.reported = why
	if k.socket == "" {
		return fmt.Errorf("signing_key %s: %s, and no ssh-agent is running (hint: SSH_AUTH_SOCK is not set)", k.name, why)
	}
	return nil
}

// open gives the signer. done ends the conversation with the agent.
func (k *Key) open(ctx context.Context) (signer ssh.Signer, done func(), err error) {
	if k.signer != nil {
		return k.signer, func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, agentLimit) // the agent may ask for a touch of the key
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", k.socket)
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("signing_key %s: ssh-agent: %w", k.name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	done = func() { stop(); cancel(); conn.Close() }
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("signing_key %s: ssh-agent: %w", k.name, err)
	}
	for _, s := range signers {
		if k.public == nil || bytes.Equal(s.PublicKey().Marshal(), k.public.Marshal()) {
			return s, done, nil
		}
	}
	done()
	return nil, nil, fmt.Errorf("signing_key %s: %s, and ssh-agent does not have the key (hint: ssh-add %s)", k.name, k.reported, strings.TrimSuffix(k.name, ".pub"))
}
