package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// GitHTTP serves the bare repositories below reposDir with git http-backend behind nginx
// and fcgiwrap, for everybody to fetch and push, and returns the base URL.
func GitHTTP(t testing.TB, reposDir string) string {
	t.Helper()
	return gitHTTP(t, reposDir, `fastcgi_param REMOTE_USER tester;`)
}

// GitHTTPAuth is GitHTTP for one user only, who gives a password by HTTP basic
// authentication.
func GitHTTPAuth(t testing.TB, reposDir, user, password string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(file, []byte(user+":{PLAIN}"+password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return gitHTTP(t, reposDir, fmt.Sprintf(
		"auth_basic git; auth_basic_user_file %s; fastcgi_param REMOTE_USER $remote_user;", file))
}

func gitHTTP(t testing.TB, reposDir, access string) string {
	t.Helper()
	dir, upstream := socketFolder(t), ""
	for i := range gitWorkers {
		socket := filepath.Join(dir, fmt.Sprint(i))
		// One worker each: a killed fcgiwrap would leave those that it forked behind.
		cmd := exec.Command(Need(t, "fcgiwrap"), "-f", "-c", "1", "-s", "unix:"+socket)
		cmd.WaitDelay = time.Second // a git that it runs holds its standard error
		Start(t, cmd, "")
		awaitFile(t, socket)
		upstream += " server unix:" + socket + ";"
	}
	return nginx(t, "upstream git { least_conn;"+upstream+" }", fmt.Sprintf(gitLocation, reposDir, gitBackend(t), access))
}

// gitWorkers is how many git commands a server runs at once.
const gitWorkers = 3

// gitLocation takes the repositories' folder, the program and who may enter.
const gitLocation = `client_max_body_size 0;
		location / {
			%[3]s
			fastcgi_param GIT_PROJECT_ROOT %[1]s;
			fastcgi_param GIT_HTTP_EXPORT_ALL "";
			fastcgi_param SCRIPT_FILENAME %[2]s;
			fastcgi_param PATH_INFO $uri;
			fastcgi_param QUERY_STRING $query_string;
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param CONTENT_TYPE $content_type;
			fastcgi_param CONTENT_LENGTH $content_length;
			fastcgi_param REMOTE_ADDR $remote_addr;
			fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
			fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
			fastcgi_read_timeout 300s;
			fastcgi_pass git;
		}`

// gitBackend returns the path of git's own CGI program.
func gitBackend(t testing.TB) string {
	t.Helper()
	out, err := exec.Command(Need(t, "git"), "--exec-path").Output()
	if err != nil {
		t.Fatalf("git --exec-path: %v", err)
	}
	path := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	if !isProgram(path) {
		Missing(t, "needs git http-backend, which is not at %s", path)
	}
	return path
}

// BareRepository makes an empty bare repository at path, whose HEAD is the given branch
// and which serves partial fetches, as the large hosts do.
func BareRepository(t testing.TB, path, head string) {
	t.Helper()
	git := Need(t, "git")
	for _, args := range [][]string{
		{"init", "-q", "--bare", "--initial-branch=" + head, path},
		{"-C", path, "config", "uploadpack.allowFilter", "true"},
		{"-C", path, "config", "gc.auto", "0"},
	} {
		if out, err := exec.Command(git, args...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// socketFolder returns a folder whose name is short enough for a unix socket in it.
func socketFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a leftover in the system's temporary folder
	return dir
}

// awaitFile waits until a server has made the file.
func awaitFile(t testing.TB, path string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(startup); time.Now().Before(deadline); <-tick.C {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	t.Fatalf("%s is not there after %s", path, startup)
}
