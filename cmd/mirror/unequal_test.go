package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/lab/edge"
	"mirror/internal/longtest"
	"mirror/internal/publish"
)

// unequal publishes to a lab whose targets hold different things when a publish begins, and
// knows what each holds.
type unequal struct {
	*trial
	edition int
	stored  map[string]map[string]string // by target, then path
	did     []string                     // to the targets, since the last publish
}

func newUnequal(t testing.TB) *unequal {
	u := &unequal{trial: newTrial(t), stored: map[string]map[string]string{}}
	u.configure("check:", "publish: {max_delete: 100%}\ncheck:")
	files := map[string]string{"404.html": "<h1>not here</h1>", "same.html": "<p>same"}
	for i := range unequalPages {
		files[fmt.Sprintf("p%02d.html", i)] = fmt.Sprintf("<p>%d", i)
	}
	u.write(files)
	u.release()
	return u
}

// unequalPages are how many pages may change from one release to the next.
const unequalPages = 8

// next writes an edition in which some pages are other than before, one at least.
func (u *unequal) next(rng *rand.Rand) {
	u.edition++
	files := maps.Clone(u.files)
	for i := range unequalPages {
		if i == 0 || rng.IntN(2) == 0 {
			files[fmt.Sprintf("p%02d.html", i)] = fmt.Sprintf("<p>%d of edition %d", i, u.edition)
		}
	}
	added := fmt.Sprintf("added%d.html", rng.IntN(3))
	if files[added] == "" {
		files[added] = fmt.Sprintf("<p>added by edition %d", u.edition)
	} else {
		delete(files, added)
	}
	u.write(files)
}

// release publishes to all targets, or those named, and notes what they hold then.
func (u *unequal) release(only ...string) *publish.Report {
	u.app.only = only
	report := u.publish(publish.Auto)
	u.app.only = nil
	for _, o := range u.lab.Origins() {
		if len(only) == 0 || slices.Contains(only, o.Name) {
			u.stored[o.Name] = maps.Clone(u.files)
		}
	}
	return report
}

// host is where a target stores.
type host interface {
	Edit(ctx context.Context, files map[string][]byte) error   // shown at once
	Change(ctx context.Context, files map[string][]byte) error // shown when the lag is over
}

func (u *unequal) origin(name string) *edge.Origin {
	return map[string]*edge.Origin{"git": u.lab.Git.Origin, "s3": u.lab.S3.Origin, "registry": u.lab.Registry.Origin}[name]
}

func (u *unequal) host(name string) host {
	return map[string]host{"git": u.lab.Git, "s3": u.lab.S3, "registry": u.lab.Registry}[name]
}

// store changes some pages of a target behind mirror's back, nil text removing one.
func (u *unequal) store(name string, late bool, pages map[string][]byte) {
	u.t.Helper()
	if len(pages) == 0 {
		return
	}
	change := u.host(name).Edit
	if late {
		change = u.host(name).Change
	}
	if err := change(u.t.Context(), pages); err != nil {
		u.t.Fatal(err)
	}
	for path, text := range pages {
		u.stored[name][path] = string(text)
	}
}

// some picks pages of the next release, and gives each a text.
func (u *unequal) some(rng *rand.Rand, name string, text func(path string) []byte) map[string][]byte {
	pages := map[string][]byte{}
	for _, path := range slices.Sorted(maps.Keys(u.files)) {
		if _, held := u.stored[name][path]; held && path != "404.html" && rng.IntN(3) == 0 {
			pages[path] = text(path)
		}
	}
	return pages
}

// disarray puts the targets in different states and writes the next release.
func (u *unequal) disarray(rng *rand.Rand) {
	u.did = nil
	for _, o := range u.lab.Origins() {
		o.SetLag(0, 0)
		o.SetTrickle(0, nil)
	}
	names := []string{"git", "s3", "registry"}
	rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for i := range rng.IntN(3) { // some targets get releases that the others do not
		u.next(rng)
		u.release(names[:1+i]...)
		u.did = append(u.did, fmt.Sprintf("a release for %v only", names[:1+i]))
	}
	if len(u.did) == 0 || rng.IntN(3) > 0 {
		u.next(rng)
	}
	if err := u.lab.Settle(u.t.Context()); err != nil {
		u.t.Fatal(err)
	}
	for _, name := range names {
		u.disturb(rng, name)
	}
	if rng.IntN(2) == 0 {
		if err := os.RemoveAll(filepath.Join(filepath.Dir(u.app.configFile), ".mirror")); err != nil {
			u.t.Fatal(err)
		}
		u.did = append(u.did, "no state")
	}
}

// disturb does something to one target, that is to be seen at once or while the publish is
// under way.
func (u *unequal) disturb(rng *rand.Rand, name string) {
	late := rng.IntN(3) == 0 && !maps.Equal(u.stored[name], u.files) // else nothing tells when the repair is deployed
	u.origin(name).SetLag(100*time.Millisecond+time.Duration(rng.IntN(500))*time.Millisecond, 0)
	var what string
	switch rng.IntN(6) {
	case 0:
		what = "partly deleted"
		u.store(name, late, u.some(rng, name, func(string) []byte { return nil }))
	case 1:
		what = "bytes of others"
		u.store(name, late, u.some(rng, name, func(path string) []byte { return fmt.Appendf(nil, "others' %s, %d", path, u.edition) }))
	case 2:
		what = "partly new already"
		u.store(name, late, u.some(rng, name, func(path string) []byte { return []byte(u.files[path]) }))
	case 3:
		if what, late = "other metadata", false; name == "s3" {
			u.metadata(rng)
		}
	default:
		return
	}
	if late {
		what += ", late"
	}
	u.did = append(u.did, name+": "+what)
}

// metadata gives objects of the bucket other headers.
func (u *unequal) metadata(rng *rand.Rand) {
	pages := u.some(rng, "s3", func(path string) []byte { return []byte(u.stored["s3"][path]) })
	maps.DeleteFunc(pages, func(_ string, text []byte) bool { return len(text) == 0 })
	if err := u.lab.S3.EditHeaders(u.t.Context(), pages, http.Header{"Content-Type": {"text/plain"}}); err != nil {
		u.t.Fatal(err)
	}
}

// pace sets how fast the publish is shown.
func (u *unequal) pace(rng *rand.Rand) {
	for _, o := range u.lab.Origins() {
		o.SetLag(time.Duration(rng.IntN(300))*time.Millisecond, 0)
		if rng.IntN(3) == 0 {
			o.SetTrickle(time.Duration(rng.IntN(20))*time.Millisecond, nil)
		}
	}
}

// own lists what the next publish changes at each target, by what is stored there.
func (u *unequal) own() map[string][]string {
	all := map[string][]string{}
	for name, stored := range u.stored {
		for _, path := range u.paths() {
			if stored[path] != u.files[path] {
				all[name] = append(all[name], path)
			}
		}
	}
	return all
}

// paths lists every path that any target holds or will hold.
func (u *unequal) paths() []string {
	paths := slices.Collect(maps.Keys(u.files))
	for _, stored := range u.stored {
		paths = slices.AppendSeq(paths, maps.Keys(stored))
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// attempt is one publish of the experiment.
type attempt struct {
	Seed, Number          uint64
	States                string
	Lower, Upper          float64 // milliseconds, as published
	Least, Most           float64 // as the crawler bounds it
	TruthLeast, TruthMost float64 // as the lab knows it
	Miss                  string  // "" for none
}

// try does one publish from unequal states, and holds its window to what the crawler and the
// lab say.
func (u *unequal) try(seed, number uint64) attempt {
	u.t.Helper()
	rng := rand.New(rand.NewPCG(seed, number))
	u.disarray(rng)
	own, paths := u.own(), u.paths()
	var bases []string
	for _, o := range u.lab.Origins() {
		bases = append(bases, o.URL)
	}
	stop := crawlEvery(u.t, time.Millisecond, bases, paths)
	u.pace(rng)
	began := time.Now()
	window := u.release().Window
	if err := u.lab.Settle(u.t.Context()); err != nil {
		u.t.Fatal(err)
	}
	seen, truth := u.seen(stop(), own), u.known(own, began)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	o := attempt{
		Seed: seed, Number: number, States: strings.Join(u.did, "; "), Lower: ms(window.Lower), Upper: ms(window.Upper),
		Least: ms(seen.least), Most: ms(seen.most), TruthLeast: ms(truth.least), TruthMost: ms(truth.most),
	}
	o.Miss = missOf(window, own, seen, truth)
	return o
}

// missOf says in what a window is false. The crawler and the lab each know the true length to
// lie in an interval of their own: it is a miss where that is all outside of the bounds.
func missOf(w *diff.Window, own map[string][]string, seen, truth stretch) string {
	if w == nil || !w.Closed {
		return fmt.Sprintf("not closed: %+v", w)
	}
	for _, o := range w.Origins {
		if o.Pages != len(own[o.Name]) {
			return fmt.Sprintf("%s is watched for %d pages, and %d change there", o.Name, o.Pages, len(own[o.Name]))
		}
	}
	for who, s := range map[string]stretch{"the crawler": seen, "the lab": truth} {
		if w.Lower > s.most || w.Upper < s.least {
			return fmt.Sprintf("[%s, %s], but %s knows [%s, %s]", w.Lower, w.Upper, who, s.least, s.most)
		}
	}
	return ""
}

// seen is the window as the crawler bounds it: from the first page that began to be served
// with the release's text, having been served otherwise, to the last. It knows such a turn to
// lie between the start of the last request that met something else and the end of the first
// that met the text.
func (u *unequal) seen(c *crawler, own map[string][]string) stretch {
	var all edges
	for _, o := range u.lab.Origins() {
		for _, path := range own[o.Name] {
			was := view{}
			for _, v := range c.views[o.URL+path] {
				isNew := !v.failed && v.text == u.files[path]
				if isNew && !was.asked.IsZero() {
					all.add(was.asked, v.answered)
					was = view{}
				}
				if !isNew && !v.failed {
					was = v
				}
			}
		}
	}
	return all.stretch()
}

// known is the window as the lab knows it.
func (u *unequal) known(own map[string][]string, began time.Time) stretch {
	var all edges
	for _, o := range u.lab.Origins() {
		for _, turn := range o.Turned(own[o.Name]...).Since(began) {
			if slices.Contains(own[o.Name], turn.Path) && turn.New == sum(u.files[turn.Path]) {
				all.add(turn.At.Before, turn.At.After)
			}
		}
	}
	return all.stretch()
}

// sum is the digest of a page, zero where there is none.
func sum(text string) (digest [sha256.Size]byte) {
	if text == "" {
		return digest
	}
	return sha256.Sum256([]byte(text))
}

// edges are the bounds of the first of some instants and of the last.
type edges struct{ firstAfter, firstBefore, lastAfter, lastBefore time.Time }

// add takes in an instant between two.
func (e *edges) add(after, before time.Time) {
	if e.lastBefore.IsZero() {
		*e = edges{after, before, after, before}
		return
	}
	e.firstAfter, e.firstBefore = earlier(e.firstAfter, after), earlier(e.firstBefore, before)
	e.lastAfter, e.lastBefore = later(e.lastAfter, after), later(e.lastBefore, before)
}

func (e *edges) stretch() stretch {
	return stretch{max(0, e.lastAfter.Sub(e.firstBefore)), e.lastBefore.Sub(e.firstAfter)}
}

// TestWindowFromUnequalStates publishes from unequal starting states, with state and history
// and without, and holds what is said of the window to an independent crawler and to the lab.
// The MIRROR_EXPERIMENT=full form publishes 300 times, or as often as MIRROR_PUBLISHES says,
// and goes on from the results in the file that MIRROR_RESULTS names. MIRROR_SEED sets the seed.
func TestWindowFromUnequalStates(t *testing.T) {
	longtest.Skip(t, "publishes from many states")
	const short, full = 6, 300
	publishes, seed := uint64(short), uint64(1)
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		publishes = full
	}
	for name, to := range map[string]*uint64{"MIRROR_PUBLISHES": &publishes, "MIRROR_SEED": &seed} {
		if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
			*to = n
		}
	}
	results := newResults(t, os.Getenv("MIRROR_RESULTS"), seed)
	t.Logf("seed %d: %d publishes, %d of them done before", seed, publishes, len(results.all))
	u := newUnequal(t)
	for n := range publishes {
		if _, done := results.all[n]; !done {
			results.add(u.try(seed, n))
		}
	}
	results.judge(publishes)
}

// results are the outcomes with one seed, by number, and the file that keeps them.
type results struct {
	t    testing.TB
	all  map[uint64]attempt
	file *os.File
}

// newResults reads what an earlier run has left. A line that was cut off is done again.
func newResults(t testing.TB, name string, seed uint64) *results {
	t.Helper()
	r := &results{t: t, all: map[uint64]attempt{}}
	if name == "" {
		return r
	}
	var err error
	if r.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.file.Close() })
	if _, err := r.file.WriteString("\n"); err != nil { // ends a line that was cut off
		t.Fatal(err)
	}
	if _, err := r.file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(r.file); lines.Scan(); {
		var o attempt
		if json.Unmarshal(lines.Bytes(), &o) == nil && o.Seed == seed {
			r.all[o.Number] = o
		}
	}
	return r
}

func (r *results) add(o attempt) {
	r.t.Helper()
	r.all[o.Number] = o
	if o.Miss != "" {
		r.t.Logf("publish %d (%s): %s", o.Number, o.States, o.Miss)
	}
	if r.file == nil {
		return
	}
	line, err := json.Marshal(o)
	if err == nil {
		_, err = r.file.Write(append(line, '\n'))
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// judge says how wide the bounds were, and wants no miss.
func (r *results) judge(publishes uint64) {
	r.t.Helper()
	var widths, lengths, blur []float64
	misses, stateless := 0, 0
	for n := range publishes {
		o := r.all[n]
		widths, lengths, blur = append(widths, o.Upper-o.Lower), append(lengths, o.TruthMost), append(blur, o.Most-o.Least)
		if o.Miss != "" {
			misses++
		}
		if strings.Contains(o.States, "no state") {
			stateless++
		}
	}
	for _, all := range [][]float64{widths, lengths, blur} {
		slices.Sort(all)
	}
	at := func(all []float64, percent int) float64 { return all[min(len(all)-1, len(all)*percent/100)] }
	r.t.Logf("%d misses in %d publishes, %d of them without state", misses, publishes, stateless)
	for what, all := range map[string][]float64{"the windows lasted": lengths, "the bounds are apart by": widths, "the crawler's are by": blur} {
		r.t.Logf("%s %.1f ms (median), %.1f ms (95 %%), %.1f ms (most)", what, at(all, 50), at(all, 95), at(all, 100))
	}
	if misses > 0 {
		r.t.Errorf("%d misses, want none", misses)
	}
}
