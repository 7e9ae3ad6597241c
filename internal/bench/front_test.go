package bench

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/realserver"
)

// The site behind a front: more bytes of each size than a front keeps in memory.
const (
	smallPages = 100_000 // of 1 KB
	largePages = 1_000   // of 100 KB
)

// proxied is a proxy, or an origin that is asked directly, and the pages that are asked for.
type proxied struct {
	name, url string
	process   *exec.Cmd // nil for that of another row
}

// frontLoad is what wrk asks for: one page, or pages at random.
type frontLoad struct{ name, lua string }

func frontLoads() []frontLoad {
	at := func(path string) string {
		return "math.randomseed(os.time() * 1000 + math.floor(os.clock() * 1e6) % 1000)\nrequest = function() return wrk.format('GET', " + path + ") end\n"
	}
	return []frontLoad{
		{"1 KB, the same page", at(`'/small/0/1.html'`)},
		{"1 KB, at random", at(fmt.Sprintf(`(function() local i = math.random(0, %d) return string.format('/small/%%d/%%d.html', math.floor(i / 1000), i) end)()`, smallPages-1))},
		{"100 KB, the same page", at(`'/large/1.html'`)},
		{"100 KB, at random", at(fmt.Sprintf(`string.format('/large/%%d.html', math.random(0, %d))`, largePages-1))},
	}
}

// TestFront compares the requests a second through `mirror front` with those through nginx as a proxy for the same two
// origins, by wrk; and how long a request takes at half of that load.
func TestFront(t *testing.T) {
	rounds := full(t)
	program := os.Getenv("MIRROR_BINARY")
	if program == "" {
		t.Skip("needs the program: make bench")
	}
	realserver.Need(t, "wrk")
	dir := t.TempDir()
	writeFrontSite(t, filepath.Join(dir, "public"))
	www := filepath.Join(dir, "www", "current")
	if err := os.MkdirAll(filepath.Dir(www), 0o755); err != nil {
		t.Fatal(err)
	}
	origins := []string{realserver.Nginx(t, www), realserver.Nginx(t, www)}
	config := fmt.Sprintf("version: 1\nsite: {dir: public}\ntargets:\n  - {name: one, type: dir, path: www, origin: {url: %q}}\norigins:\n  - {name: two, url: %q}\nfront: {quorum: 2, cache: CACHE}\n", origins[0]+"/", origins[1]+"/")
	for name, cache := range map[string]string{"mirror.yaml": "1GiB", "none.yaml": "0"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(config, "CACHE", cache, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	publish := exec.Command(program, "publish", "-q", "--no-verify", "-c", "mirror.yaml")
	publish.Dir = dir
	if out, err := publish.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	proxies := []proxied{
		{name: "nginx, two workers", url: nginxProxy(t, origins)},
		startFront(t, dir, "front", "mirror.yaml"),
		startFront(t, dir, "front, `cache: 0`", "none.yaml"),
	}
	warm(t, proxies[1].url)
	rates := measureRates(t, proxies, rounds)
	writeRates(results(t), proxies, rates)
	writeLatencies(t, append(slices.Clone(proxies), proxied{name: "the origin itself", url: origins[0]}), rates)
	for _, p := range proxies[1:] {
		fmt.Fprintf(results(t), "%s: resident set of %d MiB with %d paths\n", p.name, resident(t, p.process)>>20, smallPages+largePages)
	}
	fmt.Fprintf(results(t), "\n%s.\n", Machine())
}

func writeFrontSite(t *testing.T, dir string) {
	t.Helper()
	write := func(name string, size, seed int) {
		text := strings.Repeat(fmt.Sprintf("page %10d\n", seed), size/16+1)[:size]
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i := range smallPages {
		if i%1000 == 0 {
			if err := os.MkdirAll(filepath.Join(dir, "small", strconv.Itoa(i/1000)), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		write(fmt.Sprintf("small/%d/%d.html", i/1000, i), 1<<10, i)
	}
	if err := os.MkdirAll(filepath.Join(dir, "large"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range largePages {
		write(fmt.Sprintf("large/%d.html", i), 100<<10, i)
	}
}

// nginxProxy runs two nginx of one process each, which share a port, before the origins.
func nginxProxy(t *testing.T, origins []string) string {
	t.Helper()
	program, addr := realserver.Need(t, "nginx"), realserver.Loopback(realserver.FreePort(t))
	user, upstream := "", ""
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	for _, o := range origins {
		upstream += "server " + strings.TrimPrefix(o, "http://") + "; "
	}
	for range 2 {
		dir := t.TempDir()
		file := filepath.Join(dir, "nginx.conf")
		text := fmt.Sprintf(`%s error_log stderr crit; pid %[2]s/nginx.pid; events { worker_connections 512; }
http { access_log off; keepalive_requests 10000000; proxy_temp_path %[2]s/temp;
	upstream origins { %[3]s keepalive 64; keepalive_requests 10000000; }
	server { listen %[4]s reuseport; location / { proxy_pass http://origins; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`, user, dir, upstream, addr)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		realserver.Start(t, exec.Command(program, "-p", dir, "-c", file, "-g", "daemon off; master_process off;"), addr)
	}
	return "http://" + addr
}

func startFront(t *testing.T, dir, name, config string) proxied {
	t.Helper()
	addr := realserver.Loopback(realserver.FreePort(t))
	cmd := exec.Command(os.Getenv("MIRROR_BINARY"), "front", "-c", config, "--listen", addr)
	if config != "mirror.yaml" {
		state := filepath.Join(dir, "other")
		if err := os.CopyFS(state, os.DirFS(filepath.Join(dir, ".mirror"))); err != nil {
			t.Fatal(err)
		}
		cmd.Args = append(cmd.Args, "--state", state)
	}
	cmd.Dir = dir
	realserver.Start(t, cmd, addr)
	p := proxied{name: name, url: "http://" + addr, process: cmd}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if size, err := read(p.url + "/large/1.html"); err == nil && size == 100<<10 {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatal("the front serves nothing")
		}
	}
}

func read(url string) (int64, error) {
	answer, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return io.Copy(io.Discard, answer.Body)
}

// warm has a front ask for all pages once.
func warm(t *testing.T, url string) {
	t.Helper()
	var all sync.WaitGroup
	for part := range 16 {
		all.Go(func() {
			for i := part; i < smallPages; i += 16 {
				if _, err := read(fmt.Sprintf("%s/small/%d/%d.html", url, i/1000, i)); err != nil {
					t.Error(err)
					return
				}
				if i < largePages {
					_, _ = read(fmt.Sprintf("%s/large/%d.html", url, i)) // it is measured below
				}
			}
		})
	}
	all.Wait()
}

// measureRates returns the requests a second for each load and proxy, of each round.
func measureRates(t *testing.T, proxies []proxied, rounds int) map[string]map[string][]float64 {
	t.Helper()
	rates := map[string]map[string][]float64{}
	script := filepath.Join(t.TempDir(), "load.lua")
	for _, load := range frontLoads() {
		rates[load.name] = map[string][]float64{}
		if err := os.WriteFile(script, []byte(load.lua), 0o600); err != nil {
			t.Fatal(err)
		}
		for round := range rounds {
			for i := range proxies {
				p := proxies[(i+round)%len(proxies)]
				out, err := exec.CommandContext(t.Context(), "wrk", "-t2", "-c32", "-d3s", "--latency", "-s", script, p.url).CombinedOutput()
				found := wrkOutput.FindStringSubmatch(string(out))
				if err != nil || found == nil || strings.Contains(string(out), "Non-2xx") {
					t.Fatalf("wrk: %v\n%s", err, out)
				}
				rate, err := strconv.ParseFloat(found[2], 64)
				if err != nil {
					t.Fatal(err)
				}
				rates[load.name][p.name] = append(rates[load.name][p.name], rate)
			}
		}
	}
	return rates
}

func writeRates(w io.Writer, proxies []proxied, rates map[string]map[string][]float64) {
	fmt.Fprintf(w, "| front | proxy | requests/s | times nginx |\n| --- | --- | --- | --- |\n")
	for _, load := range frontLoads() {
		for _, p := range proxies {
			all := rates[load.name][p.name]
			var ratios []float64
			for i, rate := range all {
				ratios = append(ratios, rate/rates[load.name][proxies[0].name][i])
			}
			fmt.Fprintf(w, "| %s | %s | %.0f | %.2f |\n", load.name, p.name, middle(slices.Clone(all)), middle(slices.Clone(ratios)))
		}
	}
}

// writeLatencies has each proxy asked for small pages at half of the least rate that one had, and writes how long a request took.
func writeLatencies(t *testing.T, servers []proxied, rates map[string]map[string][]float64) {
	t.Helper()
	w, least := results(t), 0.0
	for _, all := range rates[frontLoads()[1].name] {
		if rate := middle(slices.Clone(all)); least == 0 || rate < least {
			least = rate
		}
	}
	fmt.Fprintf(w, "| %.0f requests/s of 1 KB at random | p50 | p99 |\n| --- | --- | --- |\n", least/2)
	for _, s := range servers {
		took := pace(t, s.url, least/2, 4*time.Second)
		fmt.Fprintf(w, "| %s | %s | %s |\n", s.name, took[len(took)/2], took[len(took)*99/100])
	}
}

// pace asks for small pages at a rate for some time, and returns how long each request took, in order.
func pace(t *testing.T, url string, rate float64, during time.Duration) []time.Duration {
	t.Helper()
	const visitors = 32
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: visitors}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var all []time.Duration
	var group sync.WaitGroup
	every, began := time.Duration(visitors/rate*float64(time.Second)), time.Now()
	for v := range visitors {
		group.Go(func() {
			var took []time.Duration
			for at := began.Add(every * time.Duration(v) / visitors); at.Sub(began) < during; at = at.Add(every) {
				time.Sleep(time.Until(at))
				i := rand.IntN(smallPages)
				asked := time.Now()
				answer, err := client.Get(fmt.Sprintf("%s/small/%d/%d.html", url, i/1000, i))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if err != nil || answer.StatusCode != http.StatusOK {
					t.Errorf("status %d, %v", answer.StatusCode, err)
				}
				took = append(took, time.Since(asked))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	group.Wait()
	slices.Sort(all)
	return all
}

// resident is the resident set of a process that runs, 0 where the system does not tell.
func resident(t *testing.T, cmd *exec.Cmd) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
