package kinds_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/wait"
	"mirror/targets/grace"
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
	Live    int // visits of these whose requests were made one by one, while releases went live
	Assets  int // requests for assets
	Missing int // that were not answered with 200
	Mixed   int // visits whose page got bytes of another release
	Late    int // the releases that went live while the last page was open, at most
}

// TestVisitorsDuringPublishes: pages of a release that is replaced find the assets that they name, on origins of all
// kinds. A visitor has one or two tabs, gets the page from a cache that is up to a release old, loads two of
// its assets at once and a lazy one after 0 to 5 more releases. No service worker and no browser cache helps. Some visitors
// make their requests while releases go live. The others are drawn: after each publish every asset of every release is
// asked for at each origin, and they meet these answers.
// MIRROR_EXPERIMENT=full makes 1,000,000 visits for each row, and goes on from the results in the file that MIRROR_RESULTS
// names. MIRROR_SEED sets the seed.
func TestVisitorsDuringPublishes(t *testing.T) {
	longtest.Skip(t, "publishes many releases to each kind")
	seed, _ := strconv.ParseUint(cmp.Or(os.Getenv("MIRROR_SEED"), "1"), 10, 64)
	full := os.Getenv("MIRROR_EXPERIMENT") == "full"
	rows, visits, live, rounds := []visitRow{{"hashed", "hashed", 6}, {"plain", "hashed", 6}}, 20_000, 2, 7
	if full {
		rows = []visitRow{
			{"hashed", "off", 0}, {"hashed", "hashed", 1}, {"hashed", "hashed", 3}, {"hashed", "hashed", 6},
			{"plain", "off", 0}, {"plain", "hashed", 6}, {"plain", "all", 6},
		}
		visits, live, rounds = 1_000_000, 140, 14
	}
	done := readVisits(t, os.Getenv("MIRROR_RESULTS"), seed)
	for _, row := range rows {
		t.Run(fmt.Sprintf("%s names, %s, %d releases", row.Names, row.Match, row.Releases), func(t *testing.T) {
			c, known := done[row]
			if !known {
				c = visitAll(t, simulation{row, seed, rounds, visits, live})
				appendVisits(t, os.Getenv("MIRROR_RESULTS"), c)
			}
			t.Logf("%d visits at %v, %d of them live: %d assets, %d missing, %d visits mixed", c.Visits, c.Kinds, c.Live, c.Assets, c.Missing, c.Mixed)
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

// simulation is what a row is tried with.
type simulation struct {
	row    visitRow
	seed   uint64
	rounds int // builds that are published
	visits int
	live   int // visits during each publish to a place
}

// visitAll publishes the builds one after another. Visitors make requests meanwhile, and others meet what the origins
// answered in between.
func visitAll(t *testing.T, s simulation) visitCount {
	t.Helper()
	var policy *grace.Policy
	if s.row.Match != "off" {
		policy = &grace.Policy{Releases: s.row.Releases, All: s.row.Match == "all"}
	}
	c := visitCount{visitRow: s.row, Seed: s.seed, Visits: s.visits}
	all := places(t, policy)
	var site builds
	var visitors []*liveVisitors
	for i, p := range all {
		c.Kinds = append(c.Kinds, p.kind)
		visitors = append(visitors, &liveVisitors{place: p, random: rand.New(rand.NewPCG(s.seed, uint64(i)))})
	}
	seen := make([][]map[string]string, len(all)) // by place and round: what each asset's URL answers
	for n := range s.rounds {
		files := site.add(s.row.Names, s.seed)
		for i, p := range all {
			visitors[i].during(t, site, s.live, n == s.rounds-1, func() {
				if _, err := targettest.Publish(t.Context(), p.target, targettest.Release(files)); err != nil {
					t.Errorf("%s, build %d: %v", p.kind, n, err)
				}
			})
			awaitPage(t, p, files["index.html"])
			visitors[i].published = append(visitors[i].published, files["index.html"])
			seen[i] = append(seen[i], answers(t, p, site.paths()))
		}
	}
	for _, v := range visitors {
		c.add(v.count)
	}
	c.draw(site, seen)
	return c
}

// add counts what live visitors met.
func (c *visitCount) add(live visitCount) {
	c.Live, c.Assets, c.Missing = c.Live+live.Live, c.Assets+live.Assets, c.Missing+live.Missing
	c.Mixed, c.Late = c.Mixed+live.Mixed, max(c.Late, live.Late)
}

// longest is for how many releases a tab stays open, at most.
const longest = 5

// draw counts what the visitors meet who make no requests of their own.
func (c *visitCount) draw(site builds, seen [][]map[string]string) {
	r := rand.New(rand.NewPCG(c.Seed, 53))
	for range c.Visits - c.Live {
		place, mixed := r.IntN(len(seen)), false
		for range 1 + r.IntN(2) { // tabs
			at := r.IntN(len(site.assets))
			page := max(0, at-r.IntN(2)) // cached for up to a release
			later := min(len(site.assets)-1, at+r.IntN(longest+1))
			c.Late = max(c.Late, later-page)
			for i, asset := range site.assets[page] {
				when := at
				if i == assetsPerRelease-1 {
					when = later
				}
				c.Assets++
				got, there := seen[place][when][asset]
				if !there {
					c.Missing++
				} else if got != site.files[page][asset] {
					mixed = true
				}
			}
		}
		if mixed {
			c.Mixed++
		}
	}
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
func answers(t *testing.T, p visitedPlace, paths []string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, path := range paths {
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
	text, status, err := fetch(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return text, status
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
