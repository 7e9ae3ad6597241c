package bench

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/internal/realserver"
)

// TestServe compares the requests a second of `mirror serve` with those of nginx and of Go's own server, by wrk.
func TestServe(t *testing.T) {
	rounds := full(t)
	program := os.Getenv("MIRROR_BINARY")
	if program == "" {
		t.Skip("needs the program: make bench")
	}
	realserver.Need(t, "wrk")
	dir := t.TempDir()
	for _, size := range serveSizes {
		text := strings.Repeat("0123456789abcde\n", size<<10/16)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(size)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	addr := realserver.Loopback(realserver.FreePort(t))
	realserver.Start(t, exec.Command(program, "serve", dir, "--listen", addr), addr)
	servers := []served{{"mirror serve", "http://" + addr}, {"nginx, two workers", twoNginx(t, dir)}}
	load := serveLoad{}
	for round := range rounds {
		for _, size := range serveSizes {
			for i := range servers {
				s := servers[(i+round)%len(servers)]
				load.add(t, s, size)
			}
		}
	}
	load.write(results(t), servers)
}

// serveSizes are those of the files, in KB.
var serveSizes = []int{1, 100}

// served is a server that has the files.
type served struct{ name, url string }

// twoNginx runs two nginx of one process each, which share a port: a killed nginx would leave its workers behind.
func twoNginx(t *testing.T, root string) string {
	t.Helper()
	program, addr := realserver.Need(t, "nginx"), realserver.Loopback(realserver.FreePort(t))
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	for range 2 {
		dir := t.TempDir()
		file := filepath.Join(dir, "nginx.conf")
		text := fmt.Sprintf(`%s error_log stderr crit; pid %s/nginx.pid; events { worker_connections 256; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=1000;
	server { listen %s reuseport; root %q; } }`, user, dir, addr, root)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		realserver.Start(t, exec.Command(program, "-p", dir, "-c", file, "-g", "daemon off; master_process off;"), addr)
	}
	return "http://" + addr
}

// serveLoad has what wrk measured.
type serveLoad map[served]map[int][]wrkResult

type wrkResult struct {
	rate float64 // requests a second
	p99  time.Duration
}

var wrkOutput = regexp.MustCompile(`(?s)99%\s+([0-9.]+\S+).*Requests/sec:\s+([0-9.]+)`)

// add measures one server, after it has answered with the file.
func (l serveLoad) add(t *testing.T, s served, size int) {
	t.Helper()
	url := fmt.Sprintf("%s/%d", s.url, size)
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if err != nil || n != int64(size)<<10 {
		t.Fatalf("%s: %d bytes, %v", url, n, err)
	}
	out, err := exec.CommandContext(t.Context(), "wrk", "-t2", "-c32", "-d5s", "--latency", url).CombinedOutput()
	if err != nil {
		t.Fatalf("wrk: %v: %s", err, out)
	}
	found := wrkOutput.FindStringSubmatch(string(out))
	if found == nil || strings.Contains(string(out), "Non-2xx") {
		t.Fatalf("wrk says\n%s", out)
	}
	var r wrkResult
	if _, err := fmt.Sscan(found[2], &r.rate); err != nil {
		t.Fatal(err)
	}
	if r.p99, err = time.ParseDuration(found[1]); err != nil {
		t.Fatal(err)
	}
	if l[s] == nil {
		l[s] = map[int][]wrkResult{}
	}
	l[s][size] = append(l[s][size], r)
}

func (l serveLoad) write(w io.Writer, servers []served) {
	fmt.Fprintf(w, "| serve | server | requests/s | p99 | ratio of rates |\n| --- | --- | --- | --- | --- |\n")
	for _, size := range serveSizes {
		for _, s := range servers {
			var rates, ratios []float64
			var p99 []time.Duration
			for i, r := range l[s][size] {
				rates, p99 = append(rates, r.rate), append(p99, r.p99)
				ratios = append(ratios, l[servers[0]][size][i].rate/r.rate)
			}
			slices.Sort(rates)
			slices.Sort(ratios)
			slices.Sort(p99)
			m := len(rates) / 2
			fmt.Fprintf(w, "| %d KB | %s | %.0f | %s | %.2f |\n", size, s.name, rates[m], p99[m], ratios[m])
		}
	}
	fmt.Fprintf(w, "\n%s.\n", Machine())
}
