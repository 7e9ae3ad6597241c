package s3_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/s3"
	"mirror/targets/targettest"
)

// compressedFiles are a page and a style sheet that become smaller, and what does not.
func compressedFiles(word string) targettest.Files {
	return targettest.Files{
		"index.html": "<!doctype html>" + strings.Repeat("<p>"+word+" and no play</p>\n", 100), "a.css": strings.Repeat("p { color: "+word+" }\n", 200),
		"small.txt": word, "a.png": strings.Repeat("\x89PNG", 200), "data.json": strings.Repeat("[1,2]\n", 100),
	}
}

// stored reads an object as the bucket has it.
func (p *place) stored(t *testing.T, path string) (body []byte, encoding string) {
	t.Helper()
	out, err := p.api.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &p.bucket, Key: aws.String(p.config.Prefix + path)})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	body, err = io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body, aws.ToString(out.ContentEncoding)
}

// wantStored fails unless the objects decode to the files, and those named have the encoding.
func (p *place) wantStored(t *testing.T, files targettest.Files, encoding string, compressed ...string) {
	t.Helper()
	for path, text := range files {
		body, got := p.stored(t, path)
		want := ""
		for _, name := range compressed {
			if name == path {
				want = encoding
			}
		}
		size := len(body)
		switch got {
		case "gzip":
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		case "br":
			var err error
			if body, err = io.ReadAll(brotli.NewReader(bytes.NewReader(body))); err != nil {
				t.Fatal(err)
			}
		}
		if got != want || string(body) != text || (want != "") != (size < len(text)) {
			t.Errorf("%s: %d bytes stored as %q, want %q, for a file of %d", path, size, got, want, len(text))
		}
	}
}

// wantHeld fails unless the target reads back, remembers and restores the release as the site has it.
func wantHeld(t *testing.T, tgt *s3.Target, files targettest.Files) {
	t.Helper()
	rel := targettest.Release(files)
	m, err := tgt.ReadBack(t.Context())
	if err != nil || m.ID() != rel.ID() {
		t.Errorf("read back: %v, %v", m, err)
	}
	past, err := tgt.Past(t.Context(), 10, nil)
	if err != nil || len(past) == 0 || past[0].Release != rel.ID() || past[0].Manifest.ID() != rel.ID() {
		t.Errorf("past: %v, %v", past, err)
	}
	contents, err := tgt.ReadContents(t.Context(), []string{"a.css"}, 1<<20)
	if err != nil || string(contents["a.css"]) != files["a.css"] {
		t.Errorf("contents: %q, %v", contents, err)
	}
	wantRestored(t, tgt, files)
}

func wantRestored(t *testing.T, tgt *s3.Target, files targettest.Files) {
	t.Helper()
	restored, err := tgt.Restore(t.Context(), targettest.Release(files).ID())
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	for _, f := range restored.Manifest() {
		var body bytes.Buffer
		if err := restored.Copy(t.Context(), &body, f); err != nil || body.String() != files[f.Path] {
			t.Errorf("restored %s: %d bytes, %v", f.Path, body.Len(), err)
		}
	}
}

func wantUnchanged(t *testing.T, tgt *s3.Target, rel *site.Release) {
	t.Helper()
	plan, err := tgt.Plan(t.Context(), rel)
	if err != nil || !plan.Changes.Empty() {
		t.Errorf("plan: got %+v, %v; want nothing to do", plan.Changes, err)
	}
}

// TestCompressedObjects publishes with a rule that compresses: over files that are stored plain, with a change, back and forth, and
// without the rule again.
func TestCompressedObjects(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		one, two := compressedFiles("work"), compressedFiles("sleep")
		text := []string{"index.html", "a.css", "data.json"}
		publish(t, p.open(t, nil), targettest.Release(one))
		p.wantStored(t, one, "")
		p.config.Headers = []s3.HeaderRule{{Match: "**", Compress: []string{"gzip"}}}
		p.wantChanged(t, one, []string{"a.css", "data.json", "index.html"}, nil)
		state := t.TempDir()
		publish(t, p.openAs(t, "fixture", state, nil), targettest.Release(one))
		p.wantStored(t, one, "gzip", text...)
		wantHeld(t, p.open(t, nil), one)
		wantUnchanged(t, p.open(t, nil), targettest.Release(one))
		unread := site.NewRelease(targettest.Release(one).Manifest, nil, site.DefaultBeacon, targettest.Release(one).Published)
		wantUnchanged(t, p.openAs(t, "fixture", state, nil), unread) // it knows the variants, and reads no file

		tgt := p.openAs(t, "fixture", state, nil)
		swap := publish(t, tgt, targettest.Release(two))
		p.wantStored(t, two, "gzip", text...)
		wantHeld(t, p.open(t, nil), two)
		if p.folder != "" { // a visitor, whose client decodes gzip
			if body, err := p.readWebsite("a.css"); err != nil || string(body) != two["a.css"] {
				t.Errorf("the website serves %q, %v", body, err)
			}
		}
		wantRestored(t, p.open(t, nil), one)
		if err := tgt.Rollback(t.Context(), swap); err != nil {
			t.Fatal(err)
		}
		p.wantStored(t, one, "gzip", text...)
		wantUnchanged(t, p.open(t, nil), targettest.Release(one))

		p.config.Headers = nil
		publish(t, p.open(t, nil), targettest.Release(two))
		p.wantStored(t, two, "")
		wantRestored(t, p.open(t, nil), one)
	})
}

// TestCompressedFromTheStart fills an empty bucket with br.
func TestCompressedFromTheStart(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		p.config.Headers = []s3.HeaderRule{{Match: "**", Compress: []string{"gzip"}}, {Match: "*.{css,html}", Compress: []string{"br"}}, {Match: "data.json", ContentEncoding: "x-own"}}
		files := compressedFiles("work")
		publish(t, p.open(t, nil), targettest.Release(files))
		p.wantHeader(t, "data.json", "application/json", "", "x-own")
		delete(files, "data.json")
		p.wantStored(t, files, "br", "index.html", "a.css")
		wantHeld(t, p.open(t, nil), compressedFiles("work"))
	})
}

// TestCompressedFilesStayInGrace publishes a release without a compressed file of the one before, which stays.
func TestCompressedFilesStayInGrace(t *testing.T) {
	p := fake(t)
	p.config.Headers = []s3.HeaderRule{{Match: "**", Compress: []string{"gzip"}}}
	gracing := func() *s3.Target {
		return p.openWith(t, targets.Env{Owner: "fixture", Grace: &grace.Policy{Releases: 1, All: true}})
	}
	files := compressedFiles("work")
	publish(t, gracing(), targettest.Release(files))
	style := files["a.css"]
	delete(files, "a.css")
	publish(t, gracing(), targettest.Release(files))
	p.wantStored(t, targettest.Files{"a.css": style}, "gzip", "a.css")
	if list, err := gracing().Grace(t.Context()); err != nil || !list.Has("a.css") {
		t.Errorf("got %v, %v", list, err)
	}
	wantUnchanged(t, gracing(), targettest.Release(files))
	files["new.txt"] = "new"
	publish(t, gracing(), targettest.Release(files))
	if keys := p.keys(t, "a.css"); len(keys) > 0 {
		t.Errorf("%q is still there after the second release without it", keys)
	}
}

// TestCompressedFilesAreErased removes a file that the bucket stores compressed from all that the bucket keeps.
func TestCompressedFilesAreErased(t *testing.T) {
	p := fake(t)
	p.config.Headers = []s3.HeaderRule{{Match: "**", Compress: []string{"gzip"}}}
	files := compressedFiles("work")
	files["keys.txt"] = strings.Repeat("the password\n", 100)
	publish(t, p.open(t, nil), targettest.Release(files))
	secret, _ := p.stored(t, "keys.txt")
	delete(files, "keys.txt")
	live := targettest.Release(files)
	publish(t, p.open(t, nil), live)
	if p.holdsBytes(t, secret) == "" {
		t.Fatal("no copy of the earlier release is there to be removed")
	}
	if _, err := p.open(t, nil).Erase(t.Context(), targets.Erasure{Paths: []string{"keys.txt"}, Live: live}); err != nil {
		t.Fatal(err)
	}
	if key := p.holdsBytes(t, secret); key != "" {
		t.Errorf("%s has the content still", key)
	}
	wantHeld(t, p.open(t, nil), files)
}

// TestCompressIsValidated refuses what a bucket cannot do.
func TestCompressIsValidated(t *testing.T) {
	for want, c := range map[string]s3.Config{
		"headers[0].compress: names several codings":     {Bucket: "b", Headers: []s3.HeaderRule{{Match: "**", Compress: []string{"gzip", "br"}}}},
		"headers[0].compress: is for layout: live":       {Bucket: "b", Layout: "pointer", Headers: []s3.HeaderRule{{Match: "**", Compress: []string{"gzip"}}}},
		"headers[0].compress: is not possible on Google": {Bucket: "b", Endpoint: "https://storage.googleapis.com", Headers: []s3.HeaderRule{{Match: "**", Compress: []string{"gzip"}}}},
	} {
		if err := targets.Validate(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
