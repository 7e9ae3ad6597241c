package site

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Digest is the SHA-256 of a file's bytes. The zero Digest stands for "not known".
type Digest [sha256.Size]byte

// ParseDigest reads the 64 hexadecimal digits that String writes.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) {
		return d, fmt.Errorf("digest %q: want %d hexadecimal digits", s, hex.EncodedLen(len(d)))
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, fmt.Errorf("digest %q: %w", s, err)
	}
	return d, nil
}

// String returns the digest in lower-case hexadecimal, and "" for the zero Digest.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// IsZero reports whether the digest is not known.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes the digest as String does.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = Digest{}
		return nil
	}
	*d, err = ParseDigest(string(text))
	return err
}
