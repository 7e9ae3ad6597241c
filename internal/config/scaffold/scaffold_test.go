package scaffold

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"mirror/internal/config"
	"mirror/targets/kinds"
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

func every() []Target { return []Target{{Type: "git"}, {Type: "s3"}, {Type: "oci"}, {Type: "dir"}} }

func environment(name string) string { return "value-of-" + name }

func TestRenderedConfigParses(t *testing.T) {
	for name, site := range map[string]Site{"generated": {"hexo", "public", "npx hexo generate"}, "plain": {"plain", ".", ""}} {
		t.Run(name, func(t *testing.T) {
			text, err := Render(site, every(), kinds.All())
			if err != nil {
				t.Fatal(err)
			}
			c, err := config.Parse("mirror.yaml", text, environment, kinds.All())
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
	text, err := Render(Site{Dir: "public"}, every(), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^( *)# ([a-z_]+: \S)`).ReplaceAll(text, []byte("$1$2"))
	c, err := config.Parse("mirror.yaml", all, environment, kinds.All())
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
	}, kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"dir: /abs\n", "name: pages\n", "name: pages-2\n", "name: store\n", "url: file:///x y\n",
		"    cname: a.example\n", "    path_style: true\n", `origin: {url: "https://a.example/"}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if _, err := config.Parse("mirror.yaml", text, environment, kinds.All()); err != nil {
		t.Error(err)
	}
	if _, err := Render(Site{}, []Target{{Type: "ftp"}}, kinds.All()); err == nil {
		t.Error("rendered a target of an unknown type")
	}
}

func TestAnyValueReadsBackAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.StringN(1, -1, -1), rapid.SampledFrom([]string{"${X}", "a $${b}", "a: b # c", "- x", "~", "null",
			"a\u2028b", "a\u0085b", "a\nb\n", "\t", " ", "0x1f", "*a", "%y", "'\"\\"})).Draw(t, "value")
		text, err := Render(Site{Dir: "public", Build: value}, []Target{{Type: "dir", Values: map[string]string{"path": "/srv/" + value}}}, kinds.All())
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse("mirror.yaml", text, environment, kinds.All())
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var disk struct {
			Path string `yaml:"path"`
		}
		if err := c.Targets[0].Decode(&disk); err != nil {
			t.Fatal(err)
		}
		if c.Site.Build != value || disk.Path != "/srv/"+value {
			t.Errorf("got %q and %q, want %q", c.Site.Build, disk.Path, value)
		}
	})
}
