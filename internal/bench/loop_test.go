package bench

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mirror/internal/benchsite"
	"mirror/internal/realserver"
)

// loopList has this test's own program be a bare loop that gets the URLs of the file and compares their hashes with
// those beside them: the least that a Go program can do.
const loopList = "MIRROR_TEST_LOOP"

// loopWorkers is how many requests the loop makes at once, for each origin: as many as mirror.
const loopWorkers = 16

func loop(list string) int {
	file, err := os.Open(list)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var hosts []string
	lines := map[string][]string{}
	for scan := bufio.NewScanner(file); scan.Scan(); {
		_, address, _ := strings.Cut(scan.Text(), " ")
		u, err := url.Parse(address)
		if err != nil {
			return 1
		}
		if lines[u.Host] == nil {
			hosts = append(hosts, u.Host)
		}
		lines[u.Host] = append(lines[u.Host], scan.Text())
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loopWorkers, DisableCompression: true}}
	var wrong atomic.Int64
	var workers sync.WaitGroup
	for _, host := range hosts {
		for part := range slices.Chunk(lines[host], (len(lines[host])+loopWorkers-1)/loopWorkers) {
			workers.Go(func() {
				for _, line := range part {
					if !sameBytes(client, line) {
						wrong.Add(1)
					}
				}
			})
		}
	}
	workers.Wait()
	return int(min(wrong.Load(), 1))
}

func sameBytes(client *http.Client, line string) bool {
	want, address, _ := strings.Cut(line, " ")
	answer, err := client.Get(address)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK && fmt.Sprintf("%x", hash.Sum(nil)) == want
}

// checkShape is the site that checks read: 5,000 pages of 8 KB.
var checkShape = benchsite.Shape{Folders: 49, Pages: 100, Bytes: 8250}

// TestCheck compares a check of one and of three origins with a bare loop, and with curl.
func TestCheck(t *testing.T) {
	rounds := full(t)
	if os.Getenv("MIRROR_BINARY") == "" {
		t.Skip("needs the program: make bench")
	}
	dir := filepath.Join(t.TempDir(), "site")
	if err := checkShape.Write(dir); err != nil {
		t.Fatal(err)
	}
	c := &Contest{Site: dir, Rounds: rounds, Steps: []Step{{Name: oneOrigin}, {Name: threeOrigins}}, Tools: []Tool{
		{Name: "mirror check", Version: os.Getenv("MIRROR_BINARY") + " version", Open: checker},
		{Name: "bare loop in Go", Open: func(e *Entry) Place {
			lists := listsOf(e, originsOf(e))
			return Place{Publish: func(step string) Command {
				return Command{Line: "exec " + os.Args[0], Env: []string{loopList + "=" + lists[step]}}
			}}
		}},
		peer("curl -Z, sha256sum", "curl", "curl --version", func(e *Entry) Place {
			lists := listsOf(e, originsOf(e))
			return Place{Publish: func(step string) Command {
				return Command{Line: "cut -d' ' -f2 " + lists[step] + " | sed 's/.*/url = \"&\"/' | curl -s -Z --parallel-max 16 -K - | sha256sum"}
			}}
		}),
	}}
	c.Run(t)
	c.Write(results(t), "check")
}

const (
	oneOrigin    = "one origin"
	threeOrigins = "three origins"
)

// originsOf starts nginx for each of three origins, none of which is counted: a check has no other traffic than its requests.
func originsOf(e *Entry) map[string][]string {
	e.Helper()
	var urls []string
	for range 3 {
		urls = append(urls, realserver.Nginx(e, e.Site))
	}
	return map[string][]string{oneOrigin: urls[:1], threeOrigins: urls}
}

// listsOf writes what the loop reads, for each step.
func listsOf(e *Entry, origins map[string][]string) map[string]string {
	e.Helper()
	tree, err := ReadFolder(e.Site)
	if err != nil {
		e.Fatal(err)
	}
	dir, lists := e.TempDir(), map[string]string{}
	for step, urls := range origins {
		var text strings.Builder
		for _, base := range urls {
			for path, digest := range tree {
				fmt.Fprintf(&text, "%x %s/%s\n", digest, base, path)
			}
		}
		lists[step] = filepath.Join(dir, fmt.Sprint(len(urls)))
		if err := os.WriteFile(lists[step], []byte(text.String()), 0o600); err != nil {
			e.Fatal(err)
		}
	}
	return lists
}

// checker is `mirror check --live-only` with a config for each step.
func checker(e *Entry) Place {
	dir, origins := e.TempDir(), originsOf(e)
	for step, urls := range origins {
		text := fmt.Sprintf("version: 1\nsite: {dir: %q}\ncheck: {rate: 0}\ntargets:\n", e.Site)
		for i, base := range urls {
			text += fmt.Sprintf("  - {name: o%d, type: dir, path: %q, origin: {url: %q, concurrency: %d}}\n", i, filepath.Join(dir, fmt.Sprint(i)), base+"/", loopWorkers)
		}
		if err := os.WriteFile(filepath.Join(dir, strings.Fields(step)[0]+".yaml"), []byte(text), 0o600); err != nil {
			e.Fatal(err)
		}
	}
	return Place{Publish: func(step string) Command {
		return Command{Line: "exec " + os.Getenv("MIRROR_BINARY") + " check -q --live-only -c " + strings.Fields(step)[0] + ".yaml", Dir: dir}
	}}
}
