package s3_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/s3"
	"mirror/targets/targettest"
)

// edgeObject is an object as an edge function meets it.
type edgeObject struct {
	Body string `json:"body"`
	Type string `json:"type"`
}

// objects reads everything in the bucket.
func (p *place) objects(t *testing.T) map[string]edgeObject {
	t.Helper()
	all := map[string]edgeObject{}
	for _, key := range p.keys(t, "") {
		o, err := p.api.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &p.bucket, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(o.Body)
		o.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		all[key] = edgeObject{string(body), aws.ToString(o.ContentType)}
	}
	return all
}

// TestEdgeFunctions runs the functions of docs/s3-pointer.md under Node.js on what publishes have left in a bucket.
func TestEdgeFunctions(t *testing.T) {
	t.Parallel()
	node := realserver.Need(t, "node")
	p := fake(t)
	tgt := p.pointedWith(t, targets.Env{Owner: "fixture"})
	states := map[string]map[string]edgeObject{}
	first := publish(t, tgt, targettest.Release(targettest.Files{
		"index.html": "one", "about/index.html": "about", "css/site.css": "a{}", "odd # name.txt": "odd", "404.html": "no such page",
	}))
	states["first"] = p.objects(t)
	rollBack(t, tgt, first)
	states["none"] = p.objects(t)
	publish(t, tgt, targettest.Release(targettest.Files{"index.html": "two"}))
	states["second"] = p.objects(t)
	folder := edgeFolder(t, states)
	cmd := exec.CommandContext(t.Context(), node, "edge.mjs", "states.json")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
		t.Errorf("%v\n%s", err, out)
	}
}

func rollBack(t *testing.T, tgt s3.Pointed, s targets.Swap) {
	t.Helper()
	if err := tgt.Rollback(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

var codeBlock = regexp.MustCompile("(?s)```js\n(.*?)```")

// edgeFolder is a folder with the functions as the documentation has them, their test, and a stand-in for the module of
// CloudFront.
func edgeFolder(t *testing.T, states map[string]map[string]edgeObject) string {
	t.Helper()
	folder := t.TempDir()
	doc, err := os.ReadFile("../../docs/s3-pointer.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := codeBlock.FindAllStringSubmatch(string(doc), -1)
	if len(blocks) != 2 {
		t.Fatalf("the documentation has %d functions, want 2", len(blocks))
	}
	text, err := json.Marshal(states)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"worker.mjs": blocks[0][1], "cloudfront.mjs": blocks[1][1] + "export { handler };\n", "states.json": string(text),
		"node_modules/cloudfront/package.json": `{"name": "cloudfront", "type": "module", "main": "index.js"}`,
	}
	for from, to := range map[string]string{"edge.mjs": "edge.mjs", "cloudfront.js": "node_modules/cloudfront/index.js"} {
		text, err := os.ReadFile(filepath.Join("testdata", "edge", from))
		if err != nil {
			t.Fatal(err)
		}
		files[to] = string(text)
	}
	for name, text := range files {
		at := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
