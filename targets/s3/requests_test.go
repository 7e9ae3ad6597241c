package s3_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"mirror/internal/benchsite"
	"mirror/internal/longtest"
	publication "mirror/internal/publish"
	"mirror/targets"
	"mirror/targets/s3"
	"mirror/targets/targettest"
)

// small is a site with many folders and few files in each.
var small = benchsite.Shape{Folders: 20, Pages: 18, Bytes: 6000}

// counts are what one publish costs.
type counts struct {
	puts, copies, gets, pages, others int
	documents                         map[string]bool // below .mirror/, beside content, that were written
	sent                              int64
	read                              []string
}

func (c counts) total() int { return c.puts + c.copies + c.gets + c.pages + c.others }

// quiet hears nothing.
type quiet struct{}

func (quiet) Phase(string)                    {}
func (quiet) Staging(string) targets.Progress { return unheard{} }
func (quiet) Note(string, string)             {}

type unheard struct{}

func (unheard) Expect(int, int64) {}
func (unheard) Sent(int, int64)   {}

// counted publishes as the program does, and counts.
func (p *place) counted(t *testing.T, state string, files targettest.Files) counts {
	t.Helper()
	rec := p.recorder()
	rec.before = func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Has("prefix") {
			return later(r) // what was written by the publish before has settled
		}
		return nil, nil
	}
	tgt := p.openAs(t, "counted", state, rec)
	tgt.SetPage(200)
	tgt.SetLease(time.Hour) // no renewal is counted
	rel := targettest.Release(files)
	_, err := publication.Run(t.Context(), rel, []targets.Destination{{Name: "bucket", Kind: s3.Kind(), Place: "bucket", Target: tgt}}, publication.Options{Events: quiet{}})
	if err == nil {
		err = tgt.Prune(t.Context(), targets.Retention{Keep: 3})
	}
	if err != nil {
		t.Fatal(err)
	}
	return rec.counts()
}

func (r *recorder) counts() counts {
	c := counts{documents: map[string]bool{}}
	for _, q := range r.requests(all) {
		switch {
		case q.isCopy():
			c.copies++
		case q.method == http.MethodPut:
			c.puts++
			if strings.HasPrefix(q.key, ".mirror/") && !strings.HasPrefix(q.key, ".mirror/objects/") {
				c.documents[q.key] = true
			}
		case q.method == http.MethodGet && q.key != "":
			c.gets++
			c.read = append(c.read, q.key)
		case q.query.Has("prefix"):
			c.pages++
		default:
			c.others++
		}
	}
	_, c.sent = r.count()
	return c
}

// TestRequestsOfAPublish counts what publishes of a site cost, by its files: a first one, one without a
// change, one of a site that was built anew, and one of a change in every folder.
func TestRequestsOfAPublish(t *testing.T) {
	longtest.Skip(t, "publishes many releases")
	t.Run("fake", func(t *testing.T) {
		p := fake(t)
		p.config.Provider = "versitygw"
		testRequests(t, p)
	})
	t.Run("gateway of which nothing is known", func(t *testing.T) { testRequests(t, gateway(t)) })
}

// TestRequestsOfTextsThatPackBadly changes texts of three random bits a byte.
func TestRequestsOfTextsThatPackBadly(t *testing.T) {
	p, state, random := fake(t), t.TempDir(), rand.New(rand.NewPCG(1, 2))
	p.config.Provider = "versitygw"
	files := targettest.Files{"index.html": "home"}
	const pages, size = 40, 8000
	write := func() {
		for i := range pages {
			text := make([]byte, size)
			for j := range text {
				text[j] = "abcdefgh"[random.IntN(8)]
			}
			files[fmt.Sprintf("%d.html", i)] = string(text)
		}
	}
	write()
	p.counted(t, state, files)
	write()
	got := p.counted(t, state, files)
	if most := 2*pages + got.pages + 12; got.total() > most || got.sent > pages*size*15/10+64<<10 {
		t.Errorf("%d requests, want at most %d; %d bytes sent: %+v", got.total(), most, got.sent, got)
	}
}

func testRequests(t *testing.T, p *place) {
	state := t.TempDir()
	files := targettest.Files{}
	add := func(path, text string) error { files[path] = text; return nil }
	_ = small.Each(add)
	var bytes int64
	for _, text := range files {
		bytes += int64(len(text))
	}
	cold := p.counted(t, state, files)
	t.Logf("first: %+v", cold)
	if n := small.Files(); cold.total() > n+30 || cold.copies > 1 || cold.sent > bytes*12/10+64<<10 {
		t.Errorf("first publish: %d requests for %d files, %d copies, %d bytes sent of %d", cold.total(), n, cold.copies, cold.sent, bytes)
	}
	pages := (small.Files()+len(p.keys(t, ".mirror/")))/200 + 1
	same := p.counted(t, state, files)
	t.Logf("same: %+v", same)
	if same.puts+same.copies > 0 || same.gets > 2 || same.pages > 2*pages+2 {
		t.Errorf("without a change: %+v; want 2 documents and %d pages read", same, pages)
	}
	for round := 1; round <= 4; round++ {
		changed := int64(0)
		_ = small.EachChanged(round, func(path, text string) error { changed += int64(len(text)); return add(path, text) })
		got := p.counted(t, state, files)
		t.Logf("round %d: %+v", round, got)
		if most := 2*small.Folders + got.pages + 12; got.total() > most && round <= 2 { // later ones delete old releases, too
			t.Errorf("round %d: %d requests, want at most %d: %+v", round, got.total(), most, got)
		}
		if got.pages > pages+4 || len(got.documents) > 6 {
			t.Errorf("round %d: %d pages of about %d were listed, and %d documents written", round, got.pages, pages, len(got.documents))
		}
		if most := changed*15/10 + 64<<10; got.sent > most {
			t.Errorf("round %d: sent %d bytes for %d changed, want at most %d", round, got.sent, changed, most)
		}
	}
	held, err := p.open(t, nil).ReadBack(t.Context())
	if want := targettest.Release(files).ID(); err != nil || held.ID() != want {
		t.Errorf("read back: got %s, %v; want %s", held.ID().Short(), err, want.Short())
	}
}

// TestRequestsOfHashedNames counts what a publish costs that replaces assets by others with new names, as bundlers do:
// one request sends an asset to its path, one keeps the asset that leaves the site for a rollback.
func TestRequestsOfHashedNames(t *testing.T) {
	p := fake(t)
	p.config.Provider = "versitygw"
	state, files := t.TempDir(), targettest.Files{"index.html": "0"}
	r := rand.New(rand.NewPCG(7, 7))
	const assets, of = 20, 100
	name := func(i int) string { return fmt.Sprintf("assets/chunk%02d-%08x.js", i, r.Uint32()|1<<31) }
	names := map[int]string{}
	for i := range of {
		names[i] = name(i)
		files[names[i]] = random(r, 2000)
	}
	p.counted(t, state, files)
	for round := 1; round <= 3; round++ {
		files["index.html"] = fmt.Sprint(round)
		for i := range assets {
			delete(files, names[i])
			names[i] = name(i)
			files[names[i]] = random(r, 2000)
		}
		got := p.counted(t, state, files)
		t.Logf("round %d: %+v", round, got)
		if most := 2*(assets+1) + got.pages + 12; got.total() > most && round == 1 { // later ones delete old releases, too
			t.Errorf("round %d: %d requests, want at most %d", round, got.total(), most)
		}
		if len(got.documents) > 6 || got.copies > assets+1 || got.sent > assets*2000*12/10+16<<10 {
			t.Errorf("round %d: %d documents, %d copies, %d bytes sent", round, len(got.documents), got.copies, got.sent)
		}
	}
	held, err := p.open(t, nil).ReadBack(t.Context())
	if want := targettest.Release(files).ID(); err != nil || held.ID() != want {
		t.Errorf("read back: got %s, %v; want %s", held.ID().Short(), err, want.Short())
	}
}

// TestPublisherWithoutAName: what a Stage has left reserved does not keep the commit of the same process out.
func TestPublisherWithoutAName(t *testing.T) {
	p := fake(t)
	tgt := p.openAs(t, "", "", nil)
	tgt.SetLease(time.Hour)
	for n, asset := range []string{"assets/app-3f2a9c1d.js", "assets/app-9b8c7d6e.js"} {
		rel := targettest.Release(targettest.Files{"index.html": fmt.Sprint(n), asset: fmt.Sprint("app ", n)})
		plan, err := tgt.Plan(t.Context(), rel)
		if err == nil {
			err = tgt.Stage(t.Context(), rel, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		s := targets.Swap{From: plan.Live, To: rel.ID()}
		if _, err := tgt.Reserve(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if err := tgt.Commit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}
