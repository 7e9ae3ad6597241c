package scaffold

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"mirror/internal/config"
)

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  Site
	}{
		{"nothing", nil, Site{"", "public", ""}},
		{"plain", map[string]string{"index.html": ""}, Site{"plain", ".", ""}},
		{"plain in a folder", map[string]string{"dist/index.html": ""}, Site{"plain", "dist", ""}},
		{"hexo", map[string]string{"_config.yml": "title: x\npublic_dir: public\n", "package.json": `{"dependencies":{"hexo":"^8"}}`},
			Site{"hexo", "public", "npx hexo generate"}},
		{"hexo elsewhere", map[string]string{"_config.yml": "public_dir: 'my site' # here\n", "package.json": `{"hexo":{}}`},
			Site{"hexo", "my site", "npx hexo generate"}},
		{"hugo", map[string]string{"hugo.toml": `publishDir = "docs"`}, Site{"hugo", "docs", "hugo"}},
		{"old hugo", map[string]string{"config.toml": "baseURL = 'x'", "content/a.md": ""}, Site{"hugo", "public", "hugo"}},
		{"zola", map[string]string{"config.toml": "base_url = 'x'", "content/a.md": ""}, Site{"zola", "public", "zola build"}},
		{"jekyll", map[string]string{"_config.yml": "destination: ./out\n", "_posts/a.md": ""}, Site{"jekyll", "./out", "jekyll build"}},
		{"jekyll with bundler", map[string]string{"Gemfile": "source 'x'\ngem \"jekyll\", '~> 4'\n"},
			Site{"jekyll", "_site", "bundle exec jekyll build"}},
		{"docusaurus", map[string]string{"docusaurus.config.ts": "", "yarn.lock": "", "package.json": "{}"},
			Site{"docusaurus", "build", "yarn run build"}},
		{"eleventy", map[string]string{"package.json": `{"devDependencies":{"@11ty/eleventy":"3"}}`},
			Site{"eleventy", "_site", "npx @11ty/eleventy"}},
		{"mkdocs", map[string]string{"mkdocs.yml": "site_name: x\nsite_dir: \"html\"\n"}, Site{"mkdocs", "html", "mkdocs build"}},
		{"astro", map[string]string{"astro.config.mjs": "export default defineConfig({\n  outDir: './web',\n})", "pnpm-lock.yaml": ""},
			Site{"astro", "./web", "pnpm run build"}},
		{"vitepress", map[string]string{"docs/.vitepress/config.mts": ""},
			Site{"vitepress", "docs/.vitepress/dist", "npx vitepress build docs"}},
		{"vuepress at the root", map[string]string{".vuepress/config.js": ""}, Site{"vuepress", ".vuepress/dist", "npx vuepress build"}},
		{"gatsby", map[string]string{"gatsby-config.js": ""}, Site{"gatsby", "public", "npx gatsby build"}},
		{"next export", map[string]string{"next.config.mjs": "const c = { output: 'export' }"}, Site{"next", "out", "npm run build"}},
		{"next server", map[string]string{"next.config.mjs": "const c = {}", "public/index.html": ""}, Site{"plain", "public", ""}},
		{"pelican", map[string]string{"pelicanconf.py": "OUTPUT_PATH = 'www/'\n", "publishconf.py": "import os\n"},
			Site{"pelican", "www/", "pelican content -s publishconf.py"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, text := range c.files {
				fsys[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := Detect(fsys); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// kinds has the keys that the config's documentation promises.
func kinds() config.Kinds {
	type header struct {
		Match        string `yaml:"match"`
		CacheControl string `yaml:"cache_control"`
	}
	return config.Kinds{
		"git": struct {
			URL      string `yaml:"url" jsonschema:"required"`
			Branch   string `yaml:"branch"`
			CNAME    string `yaml:"cname"`
			TokenEnv string `yaml:"token_env"`
		}{},
		"s3": struct {
			Bucket    string   `yaml:"bucket" jsonschema:"required"`
			Prefix    string   `yaml:"prefix"`
			Region    string   `yaml:"region"`
			Endpoint  string   `yaml:"endpoint"`
			PathStyle bool     `yaml:"path_style"`
			Headers   []header `yaml:"headers"`
		}{},
		"oci": struct {
			Image     string              `yaml:"image" jsonschema:"required"`
			Base      string              `yaml:"base"`
			WebRoot   string              `yaml:"web_root"`
			Platforms []string            `yaml:"platforms"`
			Rollout   map[string][]string `yaml:"rollout"`
		}{},
		"dir": struct {
			Path string `yaml:"path" jsonschema:"required"`
		}{},
	}
}

func every() []Target { return []Target{{Type: "git"}, {Type: "s3"}, {Type: "oci"}, {Type: "dir"}} }

func environment(name string) string { return "value-of-" + name }

func TestRenderedConfigParses(t *testing.T) {
	for name, site := range map[string]Site{"generated": {"hexo", "public", "npx hexo generate"}, "plain": {"plain", ".", ""}} {
		t.Run(name, func(t *testing.T) {
			text, err := Render(site, every())
			if err != nil {
				t.Fatal(err)
			}
			c, err := config.Parse("mirror.yaml", text, environment, kinds())
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if len(c.Targets) != 4 || c.Site.Build != site.Build || c.Site.Dir != strings.TrimPrefix(site.Dir, "./") {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestEveryCommentedKeyParses(t *testing.T) {
	text, err := Render(Site{Dir: "public"}, every())
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^( *)# ([a-z_]+: \S)`).ReplaceAll(text, []byte("$1$2"))
	c, err := config.Parse("mirror.yaml", all, environment, kinds())
	if err != nil {
		t.Fatalf("%v\n%s", err, all)
	}
	if len(c.Schedule) != 1 || len(c.Notify) != 1 || c.Site.Build == "" || len(c.Check.Normalize) != 1 {
		t.Errorf("got %+v", c)
	}
}

func TestRenderTakesGivenValues(t *testing.T) {
	text, err := Render(Site{Dir: "/abs"}, []Target{
		{Type: "git", Values: map[string]string{"url": "file:///x y", "cname": "a.example"}, Origin: "https://a.example/"},
		{Type: "git"},
		{Type: "s3", Name: "store", Values: map[string]string{"bucket": "yes", "path_style": "true"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"dir: /abs\n", "name: pages\n", "name: pages-2\n", "name: store\n", "url: file:///x y\n",
		"    cname: a.example\n", "    path_style: true\n", `origin: {url: "https://a.example/"}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if _, err := config.Parse("mirror.yaml", text, environment, kinds()); err != nil {
		t.Error(err)
	}
	if _, err := Render(Site{}, []Target{{Type: "ftp"}}); err == nil {
		t.Error("rendered a target of an unknown type")
	}
}

func TestAnyValueReadsBackAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.StringN(1, -1, -1), rapid.SampledFrom([]string{"${X}", "a $${b}", "a: b # c", "- x", "~", "null",
			"a\u2028b", "a\u0085b", "a\nb\n", "\t", " ", "0x1f", "*a", "%y", "'\"\\"})).Draw(t, "value")
		text, err := Render(Site{Dir: "public", Build: value}, []Target{{Type: "dir", Values: map[string]string{"path": value}}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse("mirror.yaml", text, environment, kinds())
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var disk struct {
			Path string `yaml:"path"`
		}
		if err := c.Targets[0].Decode(&disk); err != nil {
			t.Fatal(err)
		}
		if c.Site.Build != value || disk.Path != value {
			t.Errorf("got %q and %q, want %q", c.Site.Build, disk.Path, value)
		}
	})
}

func TestPagesURL(t *testing.T) {
	for remote, want := range map[string]string{
		"git@github.com:Me/blog.git":             "https://me.github.io/blog/",
		"https://github.com/me/Me.github.io":     "https://me.github.io/",
		"ssh://git@gitlab.com/group/site.v2.git": "https://group.gitlab.io/site.v2/",
		"https://token@github.com/me/blog.git":   "https://me.github.io/blog/",
		"git@example.com:me/blog.git":            "",
		"/srv/git/github.com:me/blog":            "",
	} {
		if got := PagesURL(remote); got != want {
			t.Errorf("%s: got %q, want %q", remote, got, want)
		}
	}
}
