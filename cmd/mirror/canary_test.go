package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/lab"
	"mirror/internal/longtest"
	"mirror/internal/output"
	"mirror/internal/realserver"
	"mirror/reports/formats"
	"mirror/site"
)

// canaryWorld is a config with a secret in every place, and what came of it.
type canaryWorld struct {
	t      *testing.T
	dir    string
	parrot *parrot
	base   string // of the parrot
	env    []string
	few    string            // file with what a build repeats where there are few targets
	shown  map[string]string // everything that was shown, by who showed it
}

func newCanaryWorld(t *testing.T) *canaryWorld {
	l, err := lab.Start(t.Context(), lab.Options{ContentType: site.ContentType})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // what it leaves is in a folder of its own
	w := &canaryWorld{t: t, dir: t.TempDir(), parrot: &parrot{}, shown: map[string]string{}}
	server := httptest.NewServer(w.parrot)
	t.Cleanup(server.Close)
	w.base = server.URL
	host := strings.TrimPrefix(server.URL, "http://")
	planted := canaries()
	home := t.TempDir() // beside the world: what the test itself wrote is not searched
	w.file(home, "docker/config.json", fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host,
		base64.StdEncoding.EncodeToString([]byte("me:"+planted["password in docker's config"]))))
	w.file(home, "aws/credentials", fmt.Sprintf("[default]\naws_access_key_id = AKIACHAINCHAIN000001\naws_secret_access_key = %s\naws_session_token = %s\n",
		planted["secret key of the AWS chain"], planted["session token of the AWS chain"]))
	w.file(home, "echo.txt", echo(false))
	w.few = filepath.Join(home, "few.txt")
	w.file(home, "few.txt", echo(true))
	w.env = append(os.Environ(), "HOME="+home, "DOCKER_CONFIG="+filepath.Join(home, "docker"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "aws/credentials"),
		"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "XDG_RUNTIME_DIR=", "ECHO="+filepath.Join(home, "echo.txt"),
		"GIT_CANARY="+planted["token_env of a git target"], "GIT_PASSWORD="+url.QueryEscape(planted["password in a git URL"]),
		"BUCKET_KEY="+planted["access_key_env of a bucket"], "BUCKET_SECRET="+planted["secret_key_env of a bucket"],
		"HOOK_PATH="+planted["path of a rollout webhook"], "HOOK_QUERY="+url.QueryEscape(planted["query of a rollout webhook"]),
		"DEPLOY_PASSWORD="+planted["argument of a rollout command"], "BUILD_TOKEN="+planted["variable of the build"],
		"NOTIFY_URL="+server.URL+"/notify/"+planted["path of a notify URL"], "NOTIFY_SIGN="+planted["secret_env of a notify URL"],
		"BOARD="+planted["token_env of the dashboard"], "NPM_TOKEN="+planted["a variable that only the build inherits"],
		"HTTPS_PROXY=http://proxy:"+url.QueryEscape(planted["password of a proxy"])+"@127.0.0.1:1", "NO_PROXY=127.0.0.1,localhost")
	for i := range 5 {
		w.file(w.dir, fmt.Sprintf("public/page-%d.html", i), fmt.Sprintf("page %d", i))
	}
	w.file(w.dir, "public/index.html", "home")
	others := w.failing(server.URL, host)
	w.file(w.dir, "ok.yaml", w.config(l, `{exec: ["sh", "-c", "cat $ECHO; echo $0", "${DEPLOY_PASSWORD}"]}`, others))
	w.file(w.dir, "exec.yaml", w.config(l, `{exec: ["sh", "-c", "cat $ECHO; echo $0 >&2; exit 3", "${DEPLOY_PASSWORD}"]}`, others))
	w.file(w.dir, "hook.yaml", w.config(l, fmt.Sprintf(`{webhook: "%s/deploy/${HOOK_PATH}?key=${HOOK_QUERY}"}`, server.URL), others))
	w.file(w.dir, "daemon.yaml", w.config(l, fmt.Sprintf(`{exec: ["sh", "-c", "cat $ECHO; echo $0", "${DEPLOY_PASSWORD}"], webhook: "%s/deploy/${HOOK_PATH}?key=${HOOK_QUERY}"}`, server.URL), ""))
	return w
}

func (w *canaryWorld) file(dir, name, text string) {
	w.t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// config has an image whose rollout is given, and more targets.
func (w *canaryWorld) config(l *lab.Lab, rollout, more string) string {
	return fmt.Sprintf(`version: 1
site: {dir: ./public, build: "cat $ECHO; cat $ECHO >&2; echo ${BUILD_TOKEN} $NPM_TOKEN; test -z $BROKEN"}
targets:
  - {name: image, type: oci, image: %q, base: none, rollout: %s, origin: {url: %q}}
  - {name: disk, type: dir, path: %q, origin: {url: "%s/site/"}}
%scheck: {rate: 0, timeout: 5s, confirm: 0}
publish: {verify_timeout: 1s, barrier: 100ms}
schedule: [{name: nightly, cron: "0 0 1 1 *", run: publish}, {name: drift, cron: "0 0 1 1 *", run: check}, {name: sums, cron: "@every 1s", run: report}]
daemon: {token_env: BOARD}
notify: [{name: hook, url: "${NOTIFY_URL}", secret_env: NOTIFY_SIGN}]
`, l.Registry.Image, rollout, l.Registry.URL, filepath.Join(w.dir, "www"), w.base, more)
}

// failing are the targets whose servers refuse everything.
func (w *canaryWorld) failing(base, host string) string {
	return fmt.Sprintf(`  - {name: git, type: git, url: "%[1]s/git/a.git", token_env: GIT_CANARY}
  - {name: git-url, type: git, url: "http://me:${GIT_PASSWORD}@%[2]s/git/b.git"}
  - {name: bucket, type: s3, endpoint: "%[1]s/s3", bucket: a, path_style: true, access_key_env: BUCKET_KEY, secret_key_env: BUCKET_SECRET}
  - {name: chain, type: s3, endpoint: "%[1]s/s3", bucket: b, path_style: true}
  - {name: refused, type: oci, image: "%[2]s/me/site:latest", base: self, rollout: {webhook: "%[1]s/deploy/${HOOK_PATH}?key=${HOOK_QUERY}"}}
`, base, host)
}

// mirror runs the program and keeps what it showed.
func (w *canaryWorld) mirror(config string, args ...string) string {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer cancel()
	if config != "" {
		args = append([]string{"-c", config}, args...)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	what := "mirror " + strings.Join(args, " ")
	w.shown[what] = string(out)
	if ctx.Err() != nil {
		w.t.Errorf("%s did not end: %v", what, err)
	}
	return string(out)
}

// TestNoSecretIsShownOrStored has every server, build and command repeat every secret in every
// form, and looks for them in all output and in every file.
func TestNoSecretIsShownOrStored(t *testing.T) {
	longtest.Skip(t, "runs every command with a secret in every place")
	t.Parallel()
	w := newCanaryWorld(t)
	w.init()
	few := []string{"--target", "image", "--target", "disk"}
	if out := w.mirror("ok.yaml", append(few, "publish", "--build", "-v")...); !strings.Contains(out, "***") {
		t.Errorf("the build is not heard: %s", out)
	}
	w.file(w.dir, "public/new.html", "new")
	w.mirror("exec.yaml", append(few, "publish", "--build", "--json")...)
	w.file(w.dir, "public/new.html", "newer")
	w.mirror("hook.yaml", append(few, "publish", "-v")...)
	for _, target := range []string{"git", "git-url", "bucket", "chain", "refused"} {
		w.mirror("ok.yaml", "plan", "--target", target)
		w.mirror("ok.yaml", "publish", "--json", "-v", "--target", target)
	}
	w.env = append(w.env, "BROKEN=1")
	w.mirror("ok.yaml", append(few, "publish", "--build")...)
	w.env = append(w.env, "BROKEN=")
	w.reads()
	w.daemon()
	w.parrot.fail.Store(true)
	w.mirror("ok.yaml", "notify", "test")
	w.mirror("ok.yaml", "notify", "test", "--json")
	for _, what := range []string{"all", "runs", "publishes"} {
		w.mirror("ok.yaml", "history", what)
		w.mirror("ok.yaml", "history", what, "--json")
	}
	w.search()
}

// init makes a config in a repository whose remote holds a token.
func (w *canaryWorld) init() {
	w.t.Helper()
	repository := filepath.Join(w.t.TempDir(), "repository")
	w.file(repository, "index.html", "home")
	remote := "https://oauth2:" + canaries()["token in the remote of mirror init"] + "@gitlab.com/me/site.git"
	for _, args := range [][]string{{"init", "-q"}, {"remote", "add", "origin", remote}} {
		if out, err := exec.Command("git", append([]string{"-C", repository}, args...)...).CombinedOutput(); err != nil {
			w.t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	config := filepath.Join(repository, "mirror.yaml")
	out := w.mirror(config, "init")
	text, err := os.ReadFile(config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.shown["mirror.yaml of init"] = string(text)
	for _, want := range []string{"url: https://gitlab.com/me/site.git", "token_env: GITLAB_TOKEN"} {
		if !strings.Contains(string(text), want) {
			w.t.Errorf("mirror.yaml has no %q: %s", want, text)
		}
	}
	if !strings.Contains(out, "GITLAB_TOKEN") {
		w.t.Errorf("nobody is told where the token goes: %s", out)
	}
}

// reads runs the commands that only read, in every format.
func (w *canaryWorld) reads() {
	w.t.Helper()
	args := []string{"check", "-v"}
	for _, format := range output.Names(formats.Check()) {
		args = append(args, "--out", format+"=check."+format)
	}
	if out := w.mirror("ok.yaml", args...); strings.Contains(out, "there is no format") {
		w.t.Errorf("check: %s", out)
	}
	w.mirror("ok.yaml", "check", "--json")
	w.mirror("ok.yaml", "check", w.base+"/site/", w.base+"/other/", "--json")
	w.mirror("ok.yaml", "watch", "--until", "300ms", "--csv", "answers.csv")
	w.mirror("ok.yaml", "watch", "--until", "300ms", "--json")
	w.mirror("ok.yaml", "report", "--out", "html=report.html", "--out", "markdown=report.md", "--out", "json=report.json")
	w.mirror("ok.yaml", "--target", canaries()["argument of a rollout command"], "plan")
	w.file(w.dir, "wrong.yaml", "version: 1\nsite: {dir: ./public, build: [\"${BUILD_TOKEN}\"]}\ntargets: [{name: \"${GIT_CANARY}\", type: \"${HOOK_PATH}\"}]\n")
	w.mirror("wrong.yaml", "plan")
}

// daemon runs jobs through the API, and reads every page with the token and without it.
func (w *canaryWorld) daemon() {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	addr := realserver.Loopback(realserver.FreePort(w.t))
	log := &syncBuffer{}
	cmd := exec.CommandContext(w.t.Context(), path, "-c", "daemon.yaml", "daemon", "-v", "--listen", addr, "--log-format", "json")
	w.parrot.mu.Lock()
	w.parrot.few = true
	w.parrot.mu.Unlock()
	w.file(w.dir, "public/new.html", "newest")
	cmd.Dir, cmd.Env, cmd.Stderr, cmd.Stdout = w.dir, append(w.env, "ECHO="+w.few), log, log
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // its exit code is not what is asked here
		w.shown["the daemon's log"] = log.String()
	}()
	base := "http://" + addr
	await(w.t, "the dashboard", func() bool { _, text := w.ask("GET", base+"/healthz", ""); return text == "alive\n" })
	token := canaries()["token_env of the dashboard"]
	ran := func(job string) bool {
		_, text := w.ask("GET", base+"/api/v1/jobs/"+job, token)
		return strings.Contains(text, `"outcome"`) && !strings.Contains(text, `"outcome": ""`)
	}
	await(w.t, "the first report", func() bool { return ran("sums") }) // then the scheduler runs
	for kind, job := range map[string]string{"publish": "nightly", "check": "drift"} {
		if status, text := w.ask("POST", base+"/api/v1/"+kind, token); status != http.StatusAccepted && status != http.StatusConflict { // it may run by itself
			w.t.Fatalf("%s: %d %s: %s", kind, status, text, log)
		}
		await(w.t, kind, func() bool { return ran(job) })
	}
	await(w.t, "a notification", func() bool { w.parrot.mu.Lock(); defer w.parrot.mu.Unlock(); return w.parrot.got.Len() > 0 })
	for _, token := range []string{"", canaries()["token_env of the dashboard"]} {
		for _, page := range []string{"/", "/origins/image", "/origins/disk", "/publishes", "/publishes/1", "/publishes/2", "/publishes/3", "/publishes/4", "/publishes/5",
			"/episodes", "/episodes/1", "/checks", "/history", "/jobs", "/jobs/nightly", "/jobs/drift", "/metrics", "/login", "/api/v1/overview", "/api/v1/checks",
			"/api/v1/episodes", "/api/v1/publishes", "/api/v1/jobs", "/api/v1/jobs/nightly", "/api/v1/jobs/drift", "/api/v1/origins"} {
			_, text := w.ask("GET", base+page, token)
			w.shown[fmt.Sprintf("page %s (token: %v)", page, token != "")] = text
			if token == "" && strings.Contains(text, "Cannot POST") {
				w.t.Errorf("%s shows without a token what a server said: %s", page, text)
			}
		}
	}
	if !strings.Contains(w.shown["page /jobs/nightly (token: true)"], "Cannot POST") {
		w.t.Error("the job's page does not show with the token what the webhook said")
	}
}

func (w *canaryWorld) ask(method, address, token string) (int, string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// largeFile is the size above which a file is searched for fewer encodings: the layer with
// mirror's own program, which the state folder keeps.
const largeFile = 4 << 20

// search looks through all that was shown, what was notified, and every file.
func (w *canaryWorld) search() {
	w.t.Helper()
	w.shown["notifications"] = w.parrot.got.String()
	if len(w.shown["notifications"]) == 0 {
		w.t.Error("nothing was notified")
	}
	files := 0
	err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		w.shown["file "+strings.TrimPrefix(path, w.dir)] = string(text)
		return err
	})
	if err != nil || files < 15 {
		w.t.Errorf("%d files, %v", files, err)
	}
	echoed := 0
	wanted := map[string][]string{}
	for name, secret := range canaries() {
		for _, trace := range traces(secret) {
			wanted[name] = append(wanted[name], strings.ToLower(trace))
		}
	}
	for what, text := range w.shown {
		echoed += strings.Count(text, "***")
		text = strings.ToLower(text)
		for name, traces := range wanted {
			if len(text) > largeFile {
				traces = traces[:2]
			}
			for _, trace := range traces {
				if at := strings.Index(text, trace); at >= 0 {
					w.t.Errorf("%s: the %s is shown: …%q…", what, name, text[max(0, at-40):min(len(text), at+len(trace)+10)])
					break
				}
			}
		}
	}
	if echoed < 200 {
		w.t.Errorf("only %d secrets were repeated at all: the servers of this test are not heard", echoed)
	}
}
