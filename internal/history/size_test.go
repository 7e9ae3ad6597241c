package history_test

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"mirror/internal/history"
	"mirror/site"
)

// big is a site of n files of which edition e has changed one in a hundred, others each time.
func big(n, e int) site.Past {
	m := make(site.Manifest, n)
	for i := range m {
		last := 0 // the edition that changed it last
		if e > 0 {
			last = max(0, e-(e+100-i%100)%100)
		}
		m[i] = site.File{Path: fmt.Sprintf("posts/%04d/a-page-of-some-length-%06d.html", i/100, i), Size: int64(8000 + last), Digest: digest(fmt.Sprint(i, " ", last))}
	}
	return site.Past{Release: m.ID(), Manifest: m, Published: began.Add(time.Duration(e) * time.Minute)}
}

func TestAnUnchangedFileCostsNothing(t *testing.T) {
	const files, editions = 4_000, 25
	path := place(t)
	s := open(t, path)
	add(t, s, big(files, 0))
	for e := 1; e < editions; e++ {
		add(t, s, big(files, e))
	}
	if got, want := rowsOf(t, path, "file"), files+(editions-1)*files/100; got != want {
		t.Errorf("got %d rows, want %d: one for each version of a file", got, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > files*400 {
		t.Errorf("got %d bytes, %v; want under %d", info.Size(), err, files*400)
	}
	last, err := open(t, path).Past(t.Context(), 1, nil)
	if want := big(files, editions-1); err != nil || len(last) != 1 || !slices.Equal(last[0].Manifest, want.Manifest) {
		t.Errorf("the newest is not as it was added: %v", err)
	}
}

func BenchmarkAddRelease(b *testing.B) {
	s := open(b, place(b))
	releases := []site.Past{big(100_000, 0), big(100_000, 1)}
	add(b, s, releases[0])
	n := 0
	for b.Loop() {
		n++
		add(b, s, releases[n%2])
	}
}

func BenchmarkPast(b *testing.B) {
	s := open(b, place(b))
	for e := range 20 {
		add(b, s, big(100_000, e))
	}
	for b.Loop() {
		if all, err := s.Past(b.Context(), 20, nil); err != nil || len(all) != 20 {
			b.Fatal(len(all), err)
		}
	}
}

func BenchmarkValidators(b *testing.B) {
	all := validators(100_000, "v1")
	path := place(b)
	b.Run("first save", func(b *testing.B) {
		n := 0
		s := open(b, path)
		for b.Loop() {
			n++
			if err := s.SaveValidators(b.Context(), fmt.Sprintf("http://%d/", n), all); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("save the same", func(b *testing.B) {
		s := open(b, path)
		for b.Loop() {
			if err := s.SaveValidators(b.Context(), "http://1/", all); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		s := open(b, path)
		for b.Loop() {
			if got, err := s.Validators(b.Context(), "http://1/"); err != nil || len(got) != len(all) {
				b.Fatal(len(got), err)
			}
		}
	})
}

func validators(n int, tag string) history.Validators {
	all := make(history.Validators, n)
	for i := range all {
		path := fmt.Sprintf("posts/%04d/a-page-of-some-length-%06d.html", i/100, i)
		all[i] = history.Validator{
			Path: path, Digest: digest(path), ETag: fmt.Sprintf("%q", fmt.Sprint(tag, "-", i)),
			LastModified: "Tue, 03 Feb 2026 04:05:06 GMT", Verified: began.Truncate(time.Second),
		}
	}
	return all
}

func TestValidators(t *testing.T) {
	const n = 1000
	path := place(t)
	s, all := open(t, path), validators(n, "v1")
	save := func(url string, v history.Validators) {
		t.Helper()
		if err := s.SaveValidators(t.Context(), url, v); err != nil {
			t.Fatal(err)
		}
	}
	want := func(url string, v history.Validators) {
		t.Helper()
		got, err := s.Validators(t.Context(), url)
		if err != nil || !slices.Equal(got, v) {
			t.Errorf("%s: got %d, %v; want %d", url, len(got), err, len(v))
		}
	}
	save("http://a/", all)
	save("http://b/", all[:10])
	want("http://a/", all)
	want("http://b/", all[:10])
	want("http://c/", nil)
	next := slices.Concat(slices.Clone(all[:n/2]), validators(n+5, "v2")[n/2+3:])
	shuffled := slices.Clone(next)
	slices.Reverse(shuffled)
	save("http://a/", shuffled)
	want("http://a/", next)
	want("http://b/", all[:10])
	if v, ok := next.Find(all[3].Path); !ok || v != all[3] {
		t.Errorf("find: got %+v, %v", v, ok)
	}
	save("http://a/", nil)
	want("http://a/", nil)
	if got := rowsOf(t, path, "validator"); got != 10 {
		t.Errorf("got %d rows, want those of the other origin", got)
	}
}

func rowsOf(t *testing.T, path, table string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM '"+table+"'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func setVersion(t *testing.T, path string, n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf("PRAGMA user_version = %d", n)); err != nil {
		t.Fatal(err)
	}
}
