package scaffold

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mirror/internal/config"
	"mirror/internal/generators"
	"mirror/targets/kinds"
)

func every() []Target { return []Target{{Type: "git"}, {Type: "s3"}, {Type: "oci"}, {Type: "dir"}} }

func environment(name string) string { return "value-of-" + name }

func TestRenderedConfigParses(t *testing.T) {
	for name, site := range map[string]generators.Site{"generated": {Generator: "hexo", Dir: "public", Build: "npx hexo generate"}, "plain": {Generator: "plain", Dir: "."}} {
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
	text, err := Render(generators.Site{Dir: "public"}, every(), kinds.All())
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
	text, err := Render(generators.Site{Dir: "/abs"}, []Target{
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
	if _, err := Render(generators.Site{}, []Target{{Type: "ftp"}}, kinds.All()); err == nil {
		t.Error("rendered a target of an unknown type")
	}
}

func TestAnyValueReadsBackAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.StringN(1, -1, -1), rapid.SampledFrom([]string{"${X}", "a $${b}", "a: b # c", "- x", "~", "null",
			"a\u2028b", "a\u0085b", "a\nb\n", "\t", " ", "0x1f", "*a", "%y", "'\"\\"})).Draw(t, "value")
		text, err := Render(generators.Site{Dir: "public", Build: value}, []Target{{Type: "dir", Values: map[string]string{"path": "/srv/" + value}}}, kinds.All())
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
