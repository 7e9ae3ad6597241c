package config

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"mirror/site"
	"mirror/targets"
)

type gitConfig struct {
	URL      string `yaml:"url" jsonschema:"required"`
	Branch   string `yaml:"branch" jsonschema:"default=gh-pages"`
	CNAME    string `yaml:"cname"`
	TokenEnv string `yaml:"token_env"`
}

type header struct {
	Match        string `yaml:"match" jsonschema:"required,format=glob"`
	CacheControl string `yaml:"cache_control"`
}

type s3Config struct {
	Bucket    string            `yaml:"bucket" jsonschema:"required"`
	Prefix    string            `yaml:"prefix"`
	PathStyle bool              `yaml:"path_style"`
	Layout    string            `yaml:"layout" jsonschema:"default=live,enum=live,enum=pointer"`
	Headers   []header          `yaml:"headers"`
	PartSize  uint16            `yaml:"part_size" jsonschema:"default=5"`
	Grace     time.Duration     `yaml:"grace"`
	Tags      map[string]string `yaml:"tags"`
}

type common struct {
	Mode *int `yaml:"mode"`
}

type dirConfig struct {
	Path   string `yaml:"path" jsonschema:"required,format=path"`
	common `yaml:",inline"`
}

func kinds() targets.Kinds {
	return targets.Kinds{{Name: "git", Config: &gitConfig{}}, {Name: "s3", Config: s3Config{}}, {Name: "dir", Config: &dirConfig{}}, {Name: "odd"}}
}

func environment(name string) string {
	return map[string]string{"SLACK": "hook:TAAAAAAAA-BBBBBBBBB-abcdefghij0123456789abcd@webhook", "N": "7", "WORD": "swordfish", "REF": "${N}"}[name]
}

func TestLoadEveryDocumentedKey(t *testing.T) {
	c, err := Load("testdata/full.yaml", environment, kinds())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what      string
		got, want any
	}{
		{"site.dir", c.Site.Dir, "testdata/public"},
		{"site.exclude", c.Site.Exclude, []string{"**/.DS_Store"}},
		{"targets", len(c.Targets), 3},
		{"base URL", c.Targets[1].Origin.URL.String(), "https://my-blog.example.com/base/"},
		{"cdn", c.Targets[1].Origin.CDN.On(), true},
		{"index", c.Targets[2].Origin.ServesIndex(), false},
		{"an origin of its own", c.Origins[0].Name + " " + c.Origins[0].URL.String(), "self-built https://blog.example.dev/"},
		{"its index", c.Origins[0].ServesIndex(), false},
		{"its rate", c.CheckFor(c.Origins[0].Origin).Rate, 3.0},
		{"address", c.Targets[2].Origin.Address, "[2001:db8::7]:8443"},
		{"index unless set", c.Targets[0].Origin.ServesIndex(), true},
		{"order", c.Publish.Order, Order{OrderListed, []string{"disk", "bucket", "pages"}}},
		{"max_delete", c.Publish.MaxDelete, Limit{Count: 120}},
		{"barrier", c.Publish.Barrier, time.Duration(0)},
		{"rate of the check", c.CheckFor(c.Targets[0].Origin).Rate, 0.0},
		{"rate of an origin", c.CheckFor(c.Targets[1].Origin).Rate, 5.0},
		{"concurrency of an origin", c.CheckFor(c.Targets[1].Origin).Concurrency, 2},
		{"remove", c.Check.Normalize[0].Remove[0].String(), "<!-- rendered at .*? -->"},
		{"schedule", c.Schedule[1], Job{Name: "daily", Cron: "CRON_TZ=Asia/Shanghai 0 9 * * *", Run: "report",
			Timeout: time.Hour, CatchUp: true, Build: true}},
		{"every key of a job", c.Schedule[2], Job{Name: "live", Cron: "@every 10m", Run: "publish",
			Timeout: 2 * time.Hour, Jitter: 30 * time.Second, Watch: true}},
		{"notify", c.Notify[0].URL, "slack://hook:TAAAAAAAA-BBBBBBBBB-abcdefghij0123456789abcd@webhook"},
		{"signed webhook", c.Notify[1], Notify{Name: "pager", URL: "https://hooks.example.com/mirror", SecretEnv: "HOOK_SECRET",
			Quiet: "22:00-07:00 Europe/Berlin", Urgent: []string{"unreachable", "publish_failed"}}},
		{"daemon", c.Daemon, Daemon{Listen: "0.0.0.0:9000", TokenEnv: "DAEMON_TOKEN", URL: &url.URL{Scheme: "https", Host: "status.example.com", Path: "/"},
			Hosts: []string{"status.example.org"}, WindowLimit: 30 * time.Second, KeepDays: 90, MaxSizeMB: 50, KeepReports: 7}},
	} {
		if !reflect.DeepEqual(x.got, x.want) {
			t.Errorf("%s: got %v, want %v", x.what, x.got, x.want)
		}
	}
}

func TestTargetsDecodeIntoTheirOwnConfig(t *testing.T) {
	c, err := Load("testdata/full.yaml", environment, kinds())
	if err != nil {
		t.Fatal(err)
	}
	bucket := s3Config{Grace: time.Hour, PartSize: 9}
	if err := c.Targets[1].Decode(&bucket); err != nil {
		t.Fatal(err)
	}
	want := s3Config{Bucket: "my-blog", Layout: "live", PartSize: 9, Grace: time.Hour,
		Headers: []header{{"assets/**", "public, max-age=31536000, immutable"}}}
	if !reflect.DeepEqual(bucket, want) {
		t.Errorf("got %+v, want %+v", bucket, want)
	}
	var disk dirConfig
	if err := c.Targets[2].Decode(&disk); err != nil || disk.Path != "testdata/www/blog" || *disk.Mode != 7 {
		t.Errorf("got %+v, %v", disk, err)
	}
	err = c.Targets[0].Decode(&disk)
	if err == nil || !strings.Contains(err.Error(), `testdata/full.yaml:12:5: unknown key "url"`) {
		t.Errorf("decoded a git target into a dir's config: %v", err)
	}
	if err := c.Targets[0].Decode(disk); err == nil {
		t.Error("decoded into a struct that is no pointer")
	}
	var pages gitConfig
	if err := c.Targets[0].Decode(&pages); err != nil || pages.Branch != "gh-pages" || pages.TokenEnv != "GITHUB_TOKEN" {
		t.Errorf("after those: got %+v, %v", pages, err)
	}
}

const small = "version: 1\nsite: {dir: public}\ntargets: [{name: a, type: odd}]\n"

func TestDefaults(t *testing.T) {
	c, err := Parse("mirror.yaml", []byte(small), environment, kinds())
	if err != nil {
		t.Fatal(err)
	}
	wantPublish := Publish{Order{Mode: OrderAuto}, Limit{Percent: 50}, 5 * time.Minute, nil, 3, Grace{Match: GraceMatch{Mode: GraceHashed}}, 168 * time.Hour, 2 * time.Minute, "continue"}
	if !reflect.DeepEqual(c.Publish, wantPublish) {
		t.Errorf("publish: got %+v, want %+v", c.Publish, wantPublish)
	}
	wantCheck := Check{Concurrency: 16, Rate: 200, Timeout: 10 * time.Second, Confirm: 1, Headers: []string{"content-type"}}
	if !reflect.DeepEqual(c.Check, wantCheck) {
		t.Errorf("check: got %+v, want %+v", c.Check, wantCheck)
	}
	wantSite := Site{Dir: "public", Beacon: "/.well-known/mirror.json"}
	if !reflect.DeepEqual(c.Site, wantSite) {
		t.Errorf("site: got %+v, want %+v", c.Site, wantSite)
	}
	if o := c.Targets[0].Origin; o.URL != nil || !o.ServesIndex() {
		t.Errorf("origin: got %+v", o)
	}
	if err := c.Targets[0].Decode(&struct{}{}); err != nil {
		t.Error(err)
	}
}

func TestEmptyValuesAndSections(t *testing.T) {
	text := "version: 1\nsite: {dir: public, beacon: \"\"}\ntargets: [{name: a, type: odd}]\n" +
		"publish:\n  # order: auto\ncheck:\n  headers: []\n  ignore:\nschedule:\n"
	c, err := Parse("mirror.yaml", []byte(text), environment, kinds())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse("mirror.yaml", []byte(small+"check:\n  headers:\n"), environment, kinds()); err != nil ||
		!reflect.DeepEqual(again.Check.Headers, []string{"content-type"}) {
		t.Errorf("a key without a value: got %+v, %v", again, err)
	}
	if c.Site.Beacon != "" || len(c.Check.Headers) != 0 || c.Publish.KeepReleases != 3 {
		t.Errorf("got %+v", c)
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	text := `version: 1
site: {dir: public}
targets:
  - &first {name: a, type: s3, bucket: one, origin: &o {url: "https://a.example/", rate: 1}}
  - {<<: *first, name: b, origin: {<<: [*o], url: https://b.example/}}
`
	c, err := Parse("mirror.yaml", []byte(text), environment, kinds())
	if err != nil {
		t.Fatal(err)
	}
	var bucket s3Config
	if err := c.Targets[1].Decode(&bucket); err != nil {
		t.Fatal(err)
	}
	o := c.Targets[1].Origin
	if c.Targets[1].Name != "b" || bucket.Bucket != "one" || o.URL.Host != "b.example" || *o.Rate != 1 {
		t.Errorf("got %+v, %+v, %+v", c.Targets[1], bucket, o)
	}
}

func TestEnvironment(t *testing.T) {
	text := "version: 1\nsite:\n  dir: /x/${WORD}-${N}\n  build: echo $HOME $${N} ${REF} $$\n" +
		"targets: [{name: a, type: odd}]\ncheck: {confirm: '${N}', rate: \"${N}\"}\n"
	c, err := Parse("mirror.yaml", []byte(text), environment, kinds())
	if err != nil {
		t.Fatal(err)
	}
	if c.Site.Dir != "/x/swordfish-7" || c.Site.Build != "echo $HOME ${N} ${N} $$" || c.Check.Confirm != 7 || c.Check.Rate != 7 {
		t.Errorf("got %+v %+v", c.Site, c.Check)
	}
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(filepath.Join(deep, FileName), 0o755); err != nil { // a folder of that name is passed by
		t.Fatal(err)
	}
	if got, err := Find(deep); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("found %s, %v where nothing is", got, err)
	}
	want := filepath.Join(root, FileName)
	if err := os.WriteFile(want, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(deep); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	_, err := Load(filepath.Join(root, "none.yaml"), environment, nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want one that wraps fs.ErrNotExist", err)
	}
}

func TestFindHintsAtSimilarNames(t *testing.T) {
	for name, hint := range map[string]bool{"mirror.yml": true, ".mirror.yaml": true, "Mirror.YAML": true, "mirrors.yaml": true, "mirror.yaml.txt": true,
		"mirror.json": true, "mirror.toml": true, "mirror.yaml.bak": false, "mirror": false, "my-mirror.yml": false} {
		root := t.TempDir()
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		below := filepath.Join(root, "docs")
		if err := os.Mkdir(below, 0o755); err != nil {
			t.Fatal(err)
		}
		_, err := Find(below)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%s: got %v", name, err)
		}
		if got := strings.Contains(err.Error(), "hint: there is "+filepath.Join(root, name)+": rename it to mirror.yaml"); got != hint {
			t.Errorf("%s: got %v, want the hint: %v", name, err, hint)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		text  string
		total int
		want  int
	}{{"50%", 9, 4}, {"100%", 9, 9}, {"0%", 9, 0}, {"12.5%", 80, 10}, {"3", 1, 3}, {"0", 5, 0}} {
		l, err := ParseLimit(c.text)
		if err != nil || l.Of(c.total) != c.want {
			t.Errorf("%s of %d: got %d, %v, want %d", c.text, c.total, l.Of(c.total), err, c.want)
		}
		if again, err := ParseLimit(l.String()); err != nil || again != l {
			t.Errorf("%s: written as %s, which is read as %v, %v", c.text, l, again, err)
		}
	}
}

// TestDefaultBeacon ties the default in the config's tags to the path that the vocabulary names.
func TestDefaultBeacon(t *testing.T) {
	c, err := Parse("mirror.yaml", []byte(small), environment, kinds())
	if err != nil || c.Site.Beacon != "/"+site.DefaultBeacon {
		t.Errorf("got %q, %v, want /%s", c.Site.Beacon, err, site.DefaultBeacon)
	}
}
