package oci

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/stall"
	"mirror/internal/stall/stalltest"
	"mirror/targets"
	"mirror/targets/targettest"
)

// TestRegistriesThatStall has registries accept connections and make no progress. An answer to the
// first request, which asks whether there is a registry, is as good without its body.
func TestRegistriesThatStall(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	for name, peer := range stalltest.Peers() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				env := targets.Env{State: t.TempDir(), Transport: stalltest.Transport(t, peer)}
				tgt, err := Open(t.Context(), env, Config{Image: "127.0.0.1:5000/team/blog:live"})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				_, err = tgt.Plan(t.Context(), targettest.Release(pages))
				took := time.Since(began)
				if _, ok := errors.AsType[*stall.Error](err); !ok || took > 2*stall.Limit+time.Second {
					t.Errorf("got %v after %s", err, took)
				}
				t.Logf("%s: %v", took, err)
			})
		})
	}
}

// TestWebhooksThatStall has the webhook of a rollout do the same. One whose answer says that it
// worked need not end it.
func TestWebhooksThatStall(t *testing.T) {
	for name, peer := range stalltest.Peers() {
		synctest.Test(t, func(t *testing.T) {
			transport := stall.New(stalltest.Transport(t, peer), stall.Limit)
			r := newRollout(Rollout{Webhook: "http://deploy.example/hook"}, mustTag(t, "127.0.0.1:5000/team/blog:live"), transport, "", slog.New(slog.DiscardHandler))
			began := time.Now()
			err := r.post(t.Context(), "sha256:0", "")
			took := time.Since(began)
			if _, ok := errors.AsType[*stall.Error](err); took > stall.Limit+time.Second || !ok && !strings.HasSuffix(name, "body") {
				t.Errorf("%s: got %v after %s", name, err, took)
			}
		})
	}
}
