package kinds_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"mirror/internal/config"
	"mirror/internal/lab"
	"mirror/internal/static"
	"mirror/internal/wait"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/dir"
	"mirror/targets/grace"
	"mirror/targets/kinds"
	"mirror/targets/targettest"
)

// visitRow is one row of the table in docs/grace.md: a site with some names under a policy.
type visitRow struct {
	Names    string // hashed, or plain: the same in each release
	Match    string // hashed, all, or off
	Releases int
}

// visitCount is what the visitors of a row met.
type visitCount struct {
	visitRow
	Seed    uint64
	Kinds   []string
	Visits  int
	Assets  int // requests for assets
	Missing int // that were not answered with 200
	Mixed   int // visits whose page got bytes of another release
	Late    int // the releases that went live while the last page was open, at most
}

// TestVisitorsDuringPublishes: pages of a release that is replaced find the assets that they name, on the origins of all
// kinds in the lab. After each publish every asset of every release is asked for at each origin; the visitors meet
// these answers. A visitor has one or two tabs, gets the page from a cache that is up to a release old, loads two of
// its assets at once and a lazy one after 0 to 5 more releases. No service worker and no browser cache helps.
// MIRROR_EXPERIMENT=full makes 1,000,000 visits for each row, and goes on from the results in the file that MIRROR_RESULTS
// names. MIRROR_SEED sets the seed.
func TestVisitorsDuringPublishes(t *testing.T) {
	seed, _ := strconv.ParseUint(cmp.Or(os.Getenv("MIRROR_SEED"), "1"), 10, 64)
	full := os.Getenv("MIRROR_EXPERIMENT") == "full"
	rows, visits, rounds := []visitRow{{"hashed", "hashed", 6}, {"plain", "hashed", 6}}, 20_000, 8
	if full {
		rows = []visitRow{
			{"hashed", "off", 0}, {"hashed", "hashed", 1}, {"hashed", "hashed", 3}, {"hashed", "hashed", 6},
			{"plain", "off", 0}, {"plain", "hashed", 6}, {"plain", "all", 6},
		}
		visits, rounds = 1_000_000, 14
	}
	done := readVisits(t, os.Getenv("MIRROR_RESULTS"), seed)
	for _, row := range rows {
		t.Run(fmt.Sprintf("%s names, %s, %d releases", row.Names, row.Match, row.Releases), func(t *testing.T) {
			c, known := done[row]
			if !known {
				c = visitAll(t, row, seed, rounds, visits)
				appendVisits(t, os.Getenv("MIRROR_RESULTS"), c)
			}
			t.Logf("%d visits at %v: %d assets, %d missing, %d visits mixed", c.Visits, c.Kinds, c.Assets, c.Missing, c.Mixed)
			if row.Names == "hashed" && c.Mixed > 0 {
				t.Errorf("%d visits got bytes of two releases although names are hashed", c.Mixed)
			}
			if row.Names == "hashed" && row.Releases >= c.Late && row.Match != "off" && c.Missing > 0 {
				t.Errorf("%d of %d assets were missing", c.Missing, c.Assets)
			}
			if row.Match == "off" && row.Names == "hashed" && c.Missing == 0 {
				t.Error("without grace nothing was missing: the visitors do not try what they are for")
			}
		})
	}
}

// visitedPlace is a target with the origin that serves it.
type visitedPlace struct {
	kind   string
	target targets.Target
	url    string
	settle func(ctx context.Context) error // waits until the origin serves all that was stored before
}

// places opens an empty place of each kind that needs no program beside this one.
func places(t *testing.T, policy *grace.Policy) []visitedPlace {
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
	folder := filepath.Join(t.TempDir(), "www")
	disk, err := dir.New(t.Context(), targets.Env{Grace: policy}, func(c any) error { c.(*dir.Config).Path = folder; return nil })
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(static.New(static.Dir(filepath.Join(folder, "current")), static.Options{ContentType: site.ContentType}))
	t.Cleanup(server.Close)
	all := []visitedPlace{{"dir", disk, server.URL + "/", l.Settle}}
	for _, target := range c.Targets {
		kind, _ := kinds.All().Find(target.Type)
		tgt, err := kind.Open(t.Context(), targets.Env{Grace: policy, Getenv: getenv, State: t.TempDir()}, target.Decode)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, visitedPlace{kind.Name, tgt, target.Origin.URL.String(), l.Settle})
	}
	return all
}

// assetsPerRelease are two eager assets, and one that is lazy.
const assetsPerRelease = 3

// bundle makes a site as a bundler would, with a build's own bytes in every asset.
func bundle(names string, build int, seed uint64) (targettest.Files, []string) {
	files := targettest.Files{"index.html": fmt.Sprint("page of build ", build)}
	var assets []string
	for i, name := range []string{"assets/index", "assets/style", "assets/lazy/chunk"} {
		ext := []string{".js", ".css", ".js"}[i]
		content := fmt.Sprintf("%s of build %d of %d", name, build, seed)
		if names == "hashed" {
			sum := sha256.Sum256([]byte(content))
			name += "-" + base64.RawURLEncoding.EncodeToString(sum[:6])
		}
		files[name+ext] = content
		assets = append(assets, name+ext)
	}
	return files, assets
}

// visitAll publishes the builds one after another and has visitors meet what the origins answered in between.
func visitAll(t *testing.T, row visitRow, seed uint64, rounds, visits int) visitCount {
	t.Helper()
	var policy *grace.Policy
	if row.Match != "off" {
		policy = &grace.Policy{Releases: row.Releases, All: row.Match == "all"}
	}
	all := places(t, policy)
	var builds [][]string
	bytes := make([]map[string]string, rounds)    // of each build's assets
	seen := make([][]map[string]string, len(all)) // by place and round: what each asset's URL answers
	paths := map[string]bool{}
	for n := range rounds {
		files, assets := bundle(row.Names, n, seed)
		builds, bytes[n] = append(builds, assets), files
		for _, asset := range assets {
			paths[asset] = true
		}
		for i, p := range all {
			if _, err := targettest.Publish(t.Context(), p.target, targettest.Release(files)); err != nil {
				t.Fatalf("%s, build %d: %v", p.kind, n, err)
			}
			awaitPage(t, p, files["index.html"])
			seen[i] = append(seen[i], answers(t, p, paths))
		}
	}
	return visit(row, seed, all, builds, bytes, seen, visits)
}

// visit counts what visitors meet.
func visit(row visitRow, seed uint64, all []visitedPlace, builds [][]string, bytes []map[string]string, seen [][]map[string]string, visits int) visitCount {
	c := visitCount{visitRow: row, Seed: seed, Visits: visits}
	for _, p := range all {
		c.Kinds = append(c.Kinds, p.kind)
	}
	r := rand.New(rand.NewPCG(seed, 53))
	const longest = 5
	for range visits {
		place, mixed := r.IntN(len(all)), false
		for range 1 + r.IntN(2) { // tabs
			at := r.IntN(len(builds))
			page := max(0, at-r.IntN(2)) // cached for up to a release
			later := min(len(builds)-1, at+r.IntN(longest+1))
			c.Late = max(c.Late, later-page)
			for i, asset := range builds[page] {
				when := at
				if i == assetsPerRelease-1 {
					when = later
				}
				c.Assets++
				got, there := seen[place][when][asset]
				if !there {
					c.Missing++
				} else if got != bytes[page][asset] {
					mixed = true
				}
			}
		}
		if mixed {
			c.Mixed++
		}
	}
	return c
}

// awaitPage waits until an origin serves a page, which it may do some time after the commit.
func awaitPage(t *testing.T, p visitedPlace, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		if text, status := get(t, p.url); status == http.StatusOK && text == want {
			if err := p.settle(ctx); err != nil {
				t.Fatal(err)
			}
			return
		}
		if wait.Sleep(ctx, 2*time.Millisecond) != nil {
			t.Fatalf("%s does not serve %q", p.kind, want)
		}
	}
}

// answers asks for the paths, and returns the bytes of those that are there.
func answers(t *testing.T, p visitedPlace, paths map[string]bool) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		switch text, status := get(t, p.url+path); status {
		case http.StatusOK:
			found[path] = text
		case http.StatusNotFound:
		default:
			t.Fatalf("%s: %s answers %d", p.kind, path, status)
		}
	}
	return found
}

func get(t *testing.T, url string) (string, int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), resp.StatusCode
}

// readVisits reads the rows of earlier runs with the same seed.
func readVisits(t *testing.T, name string, seed uint64) map[visitRow]visitCount {
	t.Helper()
	done := map[visitRow]visitCount{}
	if name == "" {
		return done
	}
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		return done
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var c visitCount
		if json.Unmarshal(lines.Bytes(), &c) == nil && c.Seed == seed {
			done[c.visitRow] = c
		}
	}
	return done
}

func appendVisits(t *testing.T, name string, c visitCount) {
	t.Helper()
	if name == "" {
		return
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(append(text, '\n'))
	if closed := f.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
}
