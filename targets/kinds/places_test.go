package kinds_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"testing"

	"mirror/internal/config"
	"mirror/internal/lab"
	"mirror/internal/realserver"
	"mirror/internal/static"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/dir"
	"mirror/targets/exec"
	"mirror/targets/grace"
	"mirror/targets/kinds"
	"mirror/targets/ssh"
)

// visitedPlace is a target with the origin that serves it.
type visitedPlace struct {
	kind   string
	target targets.Target
	url    string
	settle func(ctx context.Context) error // waits until the origin serves all that was stored before
}

// places opens an empty place of each kind, with an origin that serves it: those of the lab, and folders behind a file
// server. The folder of ssh is behind a real SSH server, that of exec behind the example of the documentation.
func places(t *testing.T, policy *grace.Policy) []visitedPlace {
	t.Helper()
	all := labPlaces(t, policy)
	login := realserver.SSHDWith(t, "ForceCommand internal-sftp\n") // one process serves all requests
	for _, f := range []struct {
		kind      string
		configure func(config any, folder string)
	}{
		{"dir", func(c any, folder string) { c.(*dir.Config).Path = folder }},
		{"ssh", func(c any, folder string) {
			*c.(*ssh.Config) = ssh.Config{URL: login.URL(folder), SSHKey: login.Key, KnownHosts: login.KnownHosts}
		}},
		{"exec", func(c any, folder string) {
			c.(*exec.Config).Command = []string{"sh", "../../docs/targets/exec-example-all.sh", folder}
		}},
	} {
		if f.kind == "exec" && runtime.GOOS != "linux" {
			continue // the example is for Linux
		}
		folder := filepath.Join(t.TempDir(), "www")
		tgt := openPlace(t, f.kind, targets.Env{Grace: policy, State: t.TempDir()}, func(c any) error { f.configure(c, folder); return nil })
		server := httptest.NewServer(static.New(static.Dir(filepath.Join(folder, "current")), static.Options{ContentType: site.ContentType}))
		t.Cleanup(server.Close)
		all = append(all, visitedPlace{f.kind, tgt, server.URL + "/", func(context.Context) error { return nil }})
	}
	return all
}

// labPlaces are those of the targets of a lab: git, s3 and oci.
func labPlaces(t *testing.T, policy *grace.Policy) (all []visitedPlace) {
	t.Helper()
	l, err := lab.Start(t.Context(), lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	getenv := l.Getenv(func(string) string { return "" })
	c, err := config.Parse("mirror.yaml", l.Config(t.TempDir()), getenv, kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range c.Targets {
		tgt := openPlace(t, target.Type, targets.Env{Grace: policy, Getenv: getenv, State: t.TempDir()}, target.Decode)
		all = append(all, visitedPlace{target.Type, tgt, target.Origin.URL.String(), l.Settle})
	}
	return all
}

func openPlace(t *testing.T, name string, env targets.Env, decode targets.Decode) targets.Target {
	t.Helper()
	kind, known := kinds.All().Find(name)
	if !known {
		t.Fatalf("there is no kind %s", name)
	}
	tgt, err := kind.Open(t.Context(), env, decode)
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}
