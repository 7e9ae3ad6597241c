// Package sshsig signs texts with ssh keys, as `ssh-keygen -Y sign` does and git reads it. The format is
// in the file PROTOCOL.sshsig of OpenSSH.
package sshsig

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Key is a key to sign with: a file's, or one of the agent's.
type Key struct {
	name     string        // as the config names it
	signer   ssh.Signer    // nil where the agent signs
	public   ssh.PublicKey // the agent's key to take; nil for its first one
	socket   string        // of the agent
	reported string        // why the agent is needed
}

// namespace says that a signature is one for git.
const namespace = "git"

// magic is what the two structures of the format begin with.
const magic = "SSHSIG"

type signedData struct {
	Namespace, Reserved, HashAlgorithm string
	Hash                               []byte
}

type signature struct {
	Version                            uint32
	PublicKey                          []byte
	Namespace, Reserved, HashAlgorithm string
	Signature                          []byte
}

// Sign returns the signature of a text for git, armored.
func (k *Key) Sign(ctx context.Context, text []byte) (string, error) {
	signer, done, err := k.open(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	armored, err := sign(signer, text)
	if err != nil {
		return "", fmt.Errorf("signing_key %s: %w", k.name, err)
	}
	return armored, nil
}

const hashAlgorithm = "sha512"

func sign(signer ssh.Signer, text []byte) (string, error) {
	hash := sha512.Sum512(text)
	data := append([]byte(magic), ssh.Marshal(signedData{Namespace: namespace, HashAlgorithm: hashAlgorithm, Hash: hash[:]})...)
	signed, err := signData(signer, data)
	if err != nil {
		return "", err
	}
	blob := append([]byte(magic), ssh.Marshal(signature{
		Version: 1, PublicKey: signer.PublicKey().Marshal(), Namespace: namespace, HashAlgorithm: hashAlgorithm, Signature: ssh.Marshal(signed),
	})...)
	return armor(blob), nil
}

// signData signs with SHA-512 where the key is RSA: the format refuses SHA-1.
func signData(signer ssh.Signer, data []byte) (*ssh.Signature, error) {
	if signer.PublicKey().Type() != ssh.KeyAlgoRSA {
		return signer.Sign(rand.Reader, data)
	}
	rsa, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("the RSA key cannot sign with SHA-512 (hint: use an ed25519 key)")
	}
	return rsa.SignWithAlgorithm(rand.Reader, data, ssh.KeyAlgoRSASHA512)
}

// lineLength is how many characters a line of an armored signature has.
const lineLength = 70

func armor(blob []byte) string {
	var b strings.Builder
	b.WriteString("-----BEGIN SSH SIGNATURE-----\n")
	for text := base64.StdEncoding.EncodeToString(blob); text != ""; {
		n := min(lineLength, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	b.WriteString("-----END SSH SIGNATURE-----\n")
	return b.String()
}
