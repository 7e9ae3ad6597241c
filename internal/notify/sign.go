package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader is the header with a webhook's signature: t=<unix seconds>,v1=<hex>, where
// v1 is the HMAC-SHA-256 of the digits of t, a dot and the body, by the shared secret.
const SignatureHeader = "X-Mirror-Signature"

// ErrSignature is what Verify returns for a body that was not signed with the secret lately.
var ErrSignature = errors.New("signature is not valid")

// Sign returns the header's value for a body that is sent at a time.
func Sign(secret string, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return fmt.Sprintf("t=%s,v1=%s", t, hex.EncodeToString(mac(secret, t, body)))
}

// Verify judges the header's value of a request with a body. A signature that is older or
// newer than the tolerance may be a replay.
func Verify(secret, header string, body []byte, now time.Time, tolerance time.Duration) error {
	stamp, signature, found := strings.Cut(header, ",")
	t, isTime := strings.CutPrefix(stamp, "t=")
	v1, isSignature := strings.CutPrefix(signature, "v1=")
	if !found || !isTime || !isSignature {
		return fmt.Errorf("%w: %s is not t=…,v1=…", ErrSignature, SignatureHeader)
	}
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: no time", ErrSignature)
	}
	got, err := hex.DecodeString(v1)
	if err != nil || !hmac.Equal(got, mac(secret, t, body)) {
		return ErrSignature
	}
	if age := now.Sub(time.Unix(seconds, 0)); age.Abs() > tolerance {
		return fmt.Errorf("%w: it is %s old", ErrSignature, age.Round(time.Second))
	}
	return nil
}

func mac(secret, t string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(t + "."))
	h.Write(body)
	return h.Sum(nil)
}
