package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3"
	"mirror/targets/targettest"
)

// TestHeaders publishes with header rules, changes a rule alone, and changes a type
// behind the target's back: each is a change, goes up, and is served.
func TestHeaders(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		files := targettest.Files{"index.html": "home", "assets/a.js": "js", "assets/data.gz": "gz", "page": "<!doctype html>x", "f.woff2": "w"}
		publish(t, p.open(t, nil), targettest.Release(files))
		p.wantHeader(t, "index.html", "text/html; charset=utf-8", "", "")
		p.wantHeader(t, "page", "text/html; charset=utf-8", "", "")
		p.wantHeader(t, "f.woff2", "font/woff2", "", "")
		p.config.Headers = []s3.HeaderRule{
			{Match: "assets/**", CacheControl: "public, max-age=31536000, immutable"},
			{Match: "**/*.gz", ContentType: "text/plain", ContentEncoding: "gzip"},
			{Match: "**/a.js", CacheControl: "no-cache"},
		}
		p.wantChanged(t, files, []string{"assets/data.gz"}, []string{"assets/a.js"}) // another encoding decodes to other bytes
		rec := p.recorder()
		publish(t, p.open(t, rec), targettest.Release(files))
		uploads := rec.requests(func(r request) bool {
			return r.method == "PUT" && !r.isCopy() && strings.HasPrefix(r.key, ".mirror/objects/")
		})
		if len(uploads) > 0 {
			t.Errorf("%d files were sent again for their headers", len(uploads))
		}
		p.wantHeader(t, "assets/a.js", "text/javascript; charset=utf-8", "no-cache", "")
		p.wantHeader(t, "assets/data.gz", "text/plain", "public, max-age=31536000, immutable", "gzip")
		p.wantChanged(t, files, nil, nil)
		_, err := p.api.PutObject(t.Context(), &awss3.PutObjectInput{
			Bucket: &p.bucket, Key: aws.String("index.html"), Body: strings.NewReader("home"), ContentType: aws.String("text/plain"),
		})
		if err != nil {
			t.Fatal(err)
		}
		p.wantChanged(t, files, nil, []string{"index.html"})
	})
}

// wantChanged fails unless the plan changes these paths and no others: some in their bytes,
// some in their metadata only.
func (p *place) wantChanged(t *testing.T, files targettest.Files, inBytes, inMetadata []string) {
	t.Helper()
	plan, err := p.open(t, nil).Plan(t.Context(), targettest.Release(files))
	changed := slices.Sorted(slices.Values(slices.Concat(inBytes, inMetadata)))
	if err != nil || !slices.Equal(plan.Changes.Change, changed) || len(plan.Changes.Add)+len(plan.Changes.Delete) > 0 {
		t.Errorf("plan: got %+v, %v; want the change of %q", plan.Changes, err, changed)
	}
	if !slices.Equal(plan.Changes.Metadata, inMetadata) {
		t.Errorf("plan: changes of metadata only: got %q, want %q", plan.Changes.Metadata, inMetadata)
	}
	for _, path := range inMetadata {
		if what := plan.Metadata[path]; !strings.Contains(what, ": ") || !strings.Contains(what, " → ") {
			t.Errorf("plan: %s: got %q, want the header with both values", path, what)
		}
	}
}

func (p *place) wantHeader(t *testing.T, path, contentType, cache, encoding string) {
	t.Helper()
	out, err := p.api.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: &p.bucket, Key: aws.String(p.config.Prefix + path)})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{aws.ToString(out.ContentType), aws.ToString(out.CacheControl), aws.ToString(out.ContentEncoding)}
	if want := []string{contentType, cache, encoding}; !slices.Equal(got, want) {
		t.Errorf("%s: got headers %q, want %q", path, got, want)
	}
}

// TestForeignHeadersComeBack rolls back over content of others, whose headers are theirs.
func TestForeignHeadersComeBack(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		_, err := p.api.PutObject(t.Context(), &awss3.PutObjectInput{
			Bucket: &p.bucket, Key: aws.String("index.html"), Body: strings.NewReader("theirs"),
			ContentType: aws.String("text/x-theirs"), CacheControl: aws.String("max-age=7"), ContentLanguage: aws.String("de"),
		})
		if err != nil {
			t.Fatal(err)
		}
		tgt := p.open(t, nil)
		before := PhaseLive(t, tgt)
		swap := publish(t, tgt, targettest.Release(next))
		if err := p.open(t, nil).Rollback(t.Context(), swap); err != nil {
			t.Fatal(err)
		}
		p.wantHeader(t, "index.html", "text/x-theirs", "max-age=7", "")
		if after := PhaseLive(t, tgt); after != before {
			t.Errorf("live: got %+v, want %+v", after, before)
		}
	})
}

// TestTamperedFileIsSeen changes a file below the gateway, where its ETag stays, after a
// record vouched for it.
func TestTamperedFileIsSeen(t *testing.T) {
	p := gateway(t)
	publish(t, p.open(t, nil), targettest.Release(old))
	p.age(t)
	publish(t, p.open(t, nil), targettest.Release(next)) // records what did not change
	p.putFiles(t, map[string][]byte{"about.html": []byte("SAME")})
	p.wantChanged(t, next, []string{"about.html"}, nil)
	held, err := p.open(t, nil).ReadBack(t.Context())
	if f, _ := held.Find("about.html"); err != nil || f.Digest != sha256.Sum256([]byte("SAME")) {
		t.Errorf("read back: got %s, %v; want the tampered bytes", f.Digest, err)
	}
}

// TestPrefix publishes into a folder of a bucket: all else in it is neither listed, read
// nor written.
func TestPrefix(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		others := map[string][]byte{"index.html": []byte("other"), "blogger/x.html": []byte("other"), "blo": []byte("o"), "zzz/z": []byte("z")}
		p.putObjects(t, others)
		p.config.Prefix = "/blog"
		rec := p.recorder()
		for _, files := range []targettest.Files{old, next, {"index.html": "only"}} {
			tgt := p.open(t, rec)
			publish(t, tgt, targettest.Release(files))
			held, err := tgt.ReadBack(t.Context())
			if err != nil || held.ID() != targettest.Release(files).ID() {
				t.Errorf("held: got %v, %v; want %v", held, err, files)
			}
			if err := tgt.Prune(t.Context(), targets.Retention{}); err != nil {
				t.Error(err)
			}
		}
		for _, r := range rec.requests(all) {
			if r.key != "" && !strings.HasPrefix(r.key, "blog/") || r.key == "" && r.method == "GET" && !strings.HasPrefix(r.query.Get("prefix"), "blog/") {
				t.Errorf("%s %q %v is outside the prefix", r.method, r.key, r.query)
			}
		}
		p.config.Prefix = ""
		for path, want := range others {
			if got, err := p.readObject(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: got %q, %v; want it untouched", path, got, err)
			}
		}
	})
}

// TestSmallPages lists in pages of three keys, with keys before and behind our own folder.
func TestSmallPages(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		files := targettest.Files{"!a": "1", "#b": "2", "$c": "3", ".a": "4", ".mirror-not/x": "5", ".mirror0": "6", ".z": "7", "z": "8"}
		for i := range 20 {
			files[fmt.Sprintf("p%02d.html", i)] = fmt.Sprint(i)
		}
		for _, files := range []targettest.Files{files, {"one": "1"}} {
			tgt := p.open(t, nil)
			tgt.SetPage(3)
			publish(t, tgt, targettest.Release(files))
			held, err := tgt.ReadBack(t.Context())
			if want := targettest.Release(files).Manifest; err != nil || !slices.Equal(held, want) {
				t.Errorf("held: got %v, %v; want %v", held, err, want)
			}
		}
	})
}

// TestRefusedNames: what no bucket or not this service can hold is refused with the
// file's name, before anything is visible.
func TestRefusedNames(t *testing.T) {
	gate, fake := gateway(t), fake(t)
	deep := strings.Repeat("d/", 510) + "12345"
	long := strings.Repeat("x", 256)
	for _, c := range []struct {
		name    string
		p       *place
		files   targettest.Files
		refused string
	}{
		{"own folder", fake, targettest.Files{".mirror/live": "x"}, ".mirror/live"},
		{"own folder as a file", fake, targettest.Files{".mirror": "x"}, ".mirror"},
		{"key too long", fake, targettest.Files{deep: "x"}, deep},
		{"control character", fake, targettest.Files{"a\x01b": "x"}, "a\x01b"},
		{"line break", fake, targettest.Files{"a\nb": "x"}, "a\nb"},
		{"file and folder", gate, targettest.Files{"about": "x", "about/index.html": "x"}, "about/index.html"},
		{"file and folder where keys are keys", fake, targettest.Files{"about": "x", "about/index.html": "x"}, ""},
		{"long part", gate, targettest.Files{"a/" + long: "x"}, "a/" + long},
		{"long part where keys are keys", fake, targettest.Files{"a/" + long: "x"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := targettest.Publish(t.Context(), c.p.open(t, nil), targettest.Release(c.files))
			var refused *targets.RefusedError
			if c.refused == "" {
				if err != nil {
					t.Errorf("got %v, want it published", err)
				}
				return
			}
			if !errors.As(err, &refused) || refused.Path != c.refused || refused.Hint == "" {
				t.Fatalf("got %v, want %q refused with a hint", err, c.refused)
			}
			if keys := c.p.keys(t, ".mirror/try/"); len(keys) > 0 {
				t.Errorf("probes are left: %q", keys)
			}
		})
	}
}

// TestLargeFile sends a file in parts; one whose bytes are not the manifest's is never stored.
func TestLargeFile(t *testing.T) {
	p := gateway(t)
	const size = partSize + 4321
	dir := t.TempDir()
	data := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
	if err := os.WriteFile(filepath.Join(dir, "big.mp4"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	m := site.Manifest{{Path: "big.mp4", Size: size, Digest: sha256.Sum256(data)}}
	rel := site.NewRelease(m, os.DirFS(dir), "", time.Now())
	open := func() *s3.Target {
		tgt := p.open(t, nil)
		tgt.SetParts(partSize, partSize)
		return tgt
	}
	publish(t, open(), rel)
	p.wantHeader(t, "big.mp4", "video/mp4", "", "")
	held, err := p.open(t, nil).ReadBack(t.Context())
	if err != nil || !slices.Equal(held, m) {
		t.Fatalf("held: got %v, %v; want %v", held, err, m)
	}
	for _, size := range []int{2 << 20, size} {
		wrong := site.Manifest{{Path: "big.mp4", Size: int64(size), Digest: sha256.Sum256([]byte("other"))}}
		rel := site.NewRelease(wrong, fstest.MapFS{"big.mp4": {Data: data[:size]}}, "", time.Now())
		if err := open().Stage(t.Context(), rel, nil); !errors.Is(err, site.ErrChanged) {
			t.Errorf("%d bytes: got %v, want ErrChanged", size, err)
		}
		if keys := p.keys(t, ".mirror/objects/"+wrong[0].Digest.String()); len(keys) > 0 {
			t.Errorf("%d bytes: wrong bytes were stored", size)
		}
	}
}

// TestUploadsAreSigned: each upload is plain, with the manifest's digest as payload hash
// and checksum; the service is given no chunked body to store.
func TestUploadsAreSigned(t *testing.T) {
	p := gateway(t)
	rec := p.recorder()
	big := strings.Repeat("big", 1<<20)
	files := targettest.Files{"big.html": big, "index.html": "x"}
	publish(t, p.open(t, rec), targettest.Release(files))
	uploads := rec.requests(func(r request) bool { return r.method == "PUT" && files[r.key] != "" })
	if len(uploads) != 2 {
		t.Fatalf("got %d uploads, want 2", len(uploads))
	}
	for _, r := range uploads {
		sum := sha256.Sum256([]byte(files[r.key]))
		if got := r.header.Get("X-Amz-Content-Sha256"); got != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: payload hash %q", r.key, got)
		}
		if r.header.Get("X-Amz-Checksum-Sha256") == "" || r.header.Get("Content-Encoding") != "" || r.header.Get("X-Amz-Trailer") != "" {
			t.Errorf("%s: headers %v; want a checksum and no aws-chunked body", r.key, r.header)
		}
	}
}

// TestCancelStopsPromptly cancels while the service does not answer.
func TestCancelStopsPromptly(t *testing.T) {
	p := fake(t)
	publish(t, p.open(t, nil), targettest.Release(old))
	rec := p.recorder()
	reached := make(chan struct{}, 64)
	rec.before = func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodPut {
			return nil, nil
		}
		reached <- struct{}{}
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.open(t, rec).Stage(ctx, targettest.Release(next), nil) }()
	<-reached
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("stage goes on after the cancel")
	}
}

// TestOddKeysSurviveBackup keeps content of others whose names need care in a copy source.
func TestOddKeysSurviveBackup(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		foreign := map[string][]byte{}
		for _, name := range []string{"a b", "a+b", "a%2bc", "a#b", "a?b=c", "%255C", "25% In", "文章/你好", "a&b;c,d", "-x", "q'\"`"} {
			foreign["theirs/"+name] = []byte(name)
		}
		p.putObjects(t, foreign)
		tgt := p.open(t, nil)
		swap := publish(t, tgt, targettest.Release(next))
		p.wantExactly(t, next)
		if err := tgt.Rollback(t.Context(), swap); err != nil {
			t.Fatal(err)
		}
		for path, want := range foreign {
			if got, err := p.readObject(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%q: got %q, %v", path, got, err)
			}
		}
	})
}

// TestErrorsNameTheWayOut: what the service refuses is told with its code and a hint, and
// without the secret.
func TestErrorsNameTheWayOut(t *testing.T) {
	p := gateway(t)
	missing := *p
	missing.bucket = "no-such-bucket"
	wrong := *p
	wrong.secret = "a-wrong-secret"
	for name, p := range map[string]*place{"NoSuchBucket": &missing, "SignatureDoesNotMatch": &wrong} {
		_, err := p.open(t, nil).Plan(t.Context(), targettest.Release(old))
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "hint:") || strings.Contains(err.Error(), p.secret) {
			t.Errorf("got %v, want %s with a hint and no secret", err, name)
		}
	}
}
