package wire

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"mirror/internal/realserver"
	"mirror/targets/git/internal/gitconfig"
)

// gitHost is a server of an empty repository that lets some logins in. Where reads is set, it wants
// none for reading.
type gitHost struct {
	logins map[string]string
	reads  bool

	mu   sync.Mutex
	seen []string // Authorization and X-Extra of each request
}

func (h *gitHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, given := r.BasicAuth()
	service := Service(r.URL.Query().Get("service"))
	h.mu.Lock()
	h.seen = append(h.seen, fmt.Sprintf("%s %s:%s %s", service, user, password, r.Header.Get("X-Extra")))
	h.mu.Unlock()
	if !(h.reads && service == UploadPack) && (!given || h.logins[user] != password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/x-"+string(service)+"-advertisement")
	packet := func(text string) string { return fmt.Sprintf("%04x%s", 4+len(text), text) }
	_, _ = io.WriteString(w, packet("# service="+string(service)+"\n")+flush+packet(strings.Repeat("0", 40)+" capabilities^{}\x00report-status\n")+flush)
}

// machine is a home with files in it, and the environment that names it.
func machine(t *testing.T, files map[string]string, env ...string) Options {
	t.Helper()
	values := map[string]string{"HOME": t.TempDir(), "GIT_CONFIG_NOSYSTEM": "1"}
	writePrograms(t, values["HOME"], files)
	for i := 0; i+1 < len(env); i += 2 {
		values[env[i]] = strings.ReplaceAll(env[i+1], "HOME", values["HOME"])
	}
	o := Options{Getenv: func(name string) string { return values[name] }}
	settings, err := gitconfig.Load(t.Context(), o.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	o.Git = settings
	return o
}

// writePrograms writes files, some of which are programs.
func writePrograms(t *testing.T, home string, files map[string]string) {
	t.Helper()
	// A program that a fork of a parallel test holds open for writing cannot be run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for name, text := range files {
		text = strings.ReplaceAll(text, "HOME", home)
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o700); err != nil { //nolint:gosec // some are programs
			t.Fatal(err)
		}
	}
}

// helper is a credential helper that gives a login, and writes down what else it is told.
const helper = `[credential]
	helper = "!f() { cat >> HOME/$1; echo username=helped; echo password=h3lp3r-s3cret; }; f"
`

func TestLogins(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	for name, tc := range map[string]struct {
		files map[string]string
		env   []string
		user  string // in the URL
		token string
		want  string // the last login
		asked string // what the helper was told to do
	}{
		"token":              {token: "t0k3n-value", want: "x-access-token:t0k3n-value"},
		"token and user":     {token: "t0k3n-value", user: "deploy", want: "deploy:t0k3n-value"},
		"netrc":              {files: map[string]string{".netrc": "machine other login a password b\nmachine 127.0.0.1\n login netrc-user\n password n3trc-s3cret\n"}, want: "netrc-user:n3trc-s3cret"},
		"netrc elsewhere":    {files: map[string]string{"mine": "default login netrc-user password \"n3trc-s3cret\""}, env: []string{"NETRC", "HOME/mine"}, want: "netrc-user:n3trc-s3cret"},
		"netrc of a user":    {files: map[string]string{".netrc": "machine 127.0.0.1 login x password y machine 127.0.0.1 login me password m1-s3cret"}, user: "me", want: "me:m1-s3cret"},
		"helper":             {files: map[string]string{".gitconfig": helper}, want: "helped:h3lp3r-s3cret", asked: "get store"},
		"netrc, then helper": {files: map[string]string{".gitconfig": helper, ".netrc": "default login old password st4le-s3cret"}, want: "helped:h3lp3r-s3cret", asked: "get store"},
		"askpass":            {files: map[string]string{"ask": "#!/bin/sh\ncase $1 in User*) echo asked;; *) echo 4sk-s3cret;; esac\n"}, env: []string{"GIT_ASKPASS", "HOME/ask"}, want: "asked:4sk-s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &gitHost{reads: true, logins: map[string]string{
				"x-access-token": "t0k3n-value", "deploy": "t0k3n-value", "netrc-user": "n3trc-s3cret", "me": "m1-s3cret", "helped": "h3lp3r-s3cret", "asked": "4sk-s3cret",
			}}
			server := httptest.NewServer(h)
			defer server.Close()
			o := machine(t, tc.files, tc.env...)
			o.Token = tc.token
			var secrets []string
			o.Secret = func(_, value string) { secrets = append(secrets, value) }
			open(t, strings.Replace(server.URL, "://", "://"+url.UserPassword(tc.user, "").Username()+"@", 1)+"/x.git", o)
			last := h.seen[len(h.seen)-1]
			if want := fmt.Sprintf("%s %s ", ReceivePack, tc.want); last != want {
				t.Errorf("got %q, want %q", last, want)
			}
			_, password, _ := strings.Cut(tc.want, ":")
			if !strings.Contains(strings.Join(secrets, " "), password) && tc.token == "" {
				t.Errorf("%s is not known as a secret, only %q", password, secrets)
			}
			wantAsked(t, o.Getenv("HOME"), tc.asked)
		})
	}
}

// TestLoginThatExpires has a server take each password for one request, and a helper that knows the next.
func TestLoginThatExpires(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	h := &gitHost{logins: map[string]string{}}
	server := httptest.NewServer(h)
	defer server.Close()
	o := machine(t, map[string]string{".gitconfig": `[credential]
	helper = "!f() { echo >> HOME/$1; echo username=me; echo password=$(wc -l < HOME/get); }; f"
`})
	at, err := Locate(server.URL+"/x.git", o.Git)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRemote(at, o)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 4 {
		h.mu.Lock()
		h.logins["me"] = fmt.Sprint(round + 1)
		h.mu.Unlock()
		s, err := Open(t.Context(), r, ReceivePack)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		s.Close()
	}
	for verb, want := range map[string]int{"get": 4, "store": 4, "erase": 3} {
		if text, err := os.ReadFile(filepath.Join(o.Getenv("HOME"), verb)); err != nil || len(text) != want {
			t.Errorf("%s: %d times, %v; want %d", verb, len(text), err, want)
		}
	}
}

// TestLoginOfManyRequests has all of them refused at first.
func TestLoginOfManyRequests(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	server := httptest.NewServer(&gitHost{logins: map[string]string{"helped": "h3lp3r-s3cret"}})
	defer server.Close()
	o := machine(t, map[string]string{".gitconfig": helper})
	at, err := Locate(server.URL+"/x.git", o.Git)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRemote(at, o)
	if err != nil {
		t.Fatal(err)
	}
	var all errgroup.Group
	for range 8 {
		all.Go(func() error {
			s, err := Open(t.Context(), r, ReceivePack)
			if err != nil {
				return err
			}
			return s.Close()
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
	wantAsked(t, o.Getenv("HOME"), "get store")
}

// open reads what the repository has, and then begins a push twice: what the first has learnt the
// second sends at once.
func open(t *testing.T, address string, o Options) {
	t.Helper()
	at, err := Locate(strings.Replace(address, "://@", "://", 1), o.Git)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRemote(at, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range []Service{UploadPack, ReceivePack, ReceivePack} {
		s, err := Open(t.Context(), r, service)
		if err != nil {
			t.Fatalf("%s: %v", service, err)
		}
		s.Close()
	}
}

func wantAsked(t *testing.T, home, verbs string) {
	t.Helper()
	for _, verb := range []string{"get", "store", "erase"} {
		text, err := os.ReadFile(filepath.Join(home, verb))
		if asked := err == nil; asked != strings.Contains(verbs, verb) || asked && strings.Count(string(text), "host=") != 1 {
			t.Errorf("%s: the helper was told %q", verb, text)
		}
	}
}

// TestRefusedLogin has a server take no login: the helper learns that, nothing is asked for, and no
// secret is in the error.
func TestRefusedLogin(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	server := httptest.NewServer(&gitHost{})
	defer server.Close()
	for want, files := range map[string]map[string]string{
		"none was good":     nil,
		"(hint: token_env":  {".gitconfig": helper},
		"locked by test":    {".gitconfig": "[credential]\n\thelper = \"!echo locked by test >&2; exit 1; #\"\n"},
		"credential-absent": {".gitconfig": "[credential]\n\thelper = absent\n"},
	} {
		o := machine(t, files)
		at, err := Locate(server.URL+"/x.git", o.Git)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewRemote(at, o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), r, ReceivePack)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got %v, want %s", err, want)
		}
		if strings.HasPrefix(want, "(hint") {
			wantAsked(t, o.Getenv("HOME"), "get erase")
		}
	}
}

func TestSettingsOfHTTP(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	h := &gitHost{reads: true, logins: map[string]string{"x-access-token": "t0k3n-value"}}
	server := httptest.NewServer(h)
	defer server.Close()
	o := machine(t, map[string]string{".gitconfig": "[http \"" + server.URL + "\"]\n\textraHeader = X-Extra: more\n\textraHeader = Authorization: Basic eDp5\n"})
	o.Token = "t0k3n-value"
	open(t, server.URL+"/x.git", o)
	for _, seen := range h.seen {
		if !strings.HasSuffix(seen, " x-access-token:t0k3n-value more") {
			t.Errorf("got %q, want the token and the header", seen)
		}
	}
	base, err := url.Parse("https://git.example/x.git")
	if err != nil {
		t.Fatal(err)
	}
	o = machine(t, map[string]string{".gitconfig": "[http]\n\tproxy = user:pr0xy-s3cret@proxy.example:3128\n\tsslCAInfo = HOME/ca\n", "ca": "none"}, "NO_PROXY", "near.example")
	secret := ""
	o.Secret = func(_, value string) { secret = value }
	if _, err := transportFor(base, o); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("got %v", err)
	}
	o = machine(t, map[string]string{".gitconfig": "[http]\n\tproxy = user:pr0xy-s3cret@proxy.example:3128\n"}, "NO_PROXY", "near.example")
	o.Secret = func(_, value string) { secret = value }
	rt, err := transportFor(base, o)
	if err != nil || secret != "pr0xy-s3cret" {
		t.Fatalf("got %v, and the secret %q", err, secret)
	}
	for address, want := range map[string]string{"https://git.example/x": "proxy.example:3128", "https://near.example/x": "", "http://127.0.0.1/x": ""} {
		u, err := rt.Proxy(httptest.NewRequest(http.MethodGet, address, nil))
		if err != nil || want == "" && u != nil || want != "" && (u == nil || u.Host != want) {
			t.Errorf("%s: got %v, %v; want %q", address, u, err, want)
		}
	}
}
