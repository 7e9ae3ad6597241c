package provider

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/s3-services.md")

func TestDetect(t *testing.T) {
	for _, c := range []struct{ endpoint, name, region string }{
		{"", "aws", ""},
		{"https://s3.eu-central-1.amazonaws.com", "aws", "eu-central-1"},
		{"https://0123abc.r2.cloudflarestorage.com", "r2", ""},
		{"https://0123abc.eu.r2.cloudflarestorage.com/", "r2", ""},
		{"https://s3.us-west-004.backblazeb2.com", "b2", "us-west-004"},
		{"https://storage.googleapis.com", "gcs", ""},
		{"https://NYC3.digitaloceanspaces.com", "digitalocean", "nyc3"},
		{"https://us-east-1.linodeobjects.com", "linode", "us-east-1"},
		{"https://s3.wasabisys.com", "wasabi", ""},
		{"https://s3.ap-northeast-1.wasabisys.com:443", "wasabi", "ap-northeast-1"},
		{"https://oss-cn-hangzhou.aliyuncs.com", "alibaba", "cn-hangzhou"},
		{"https://s3.oss-cn-beijing-internal.aliyuncs.com", "alibaba", "cn-beijing"},
		{"https://cos.ap-guangzhou.myqcloud.com", "tencent", "ap-guangzhou"},
		{"https://s3.fr-par.scw.cloud", "scaleway", "fr-par"},
		{"https://s3.gra.io.cloud.ovh.net", "ovh", "gra"},
		{"https://fsn1.your-objectstorage.com", "hetzner", "fsn1"},
		{"https://n8k2.ldn.idrivee2-22.com", "idrive", ""},
		{"https://gateway.storjshare.io", "storj", ""},
		{"https://gateway.eu1.storjshare.io", "storj", "eu1"},
		{"https://t3.storage.dev", "tigris", ""},
		{"http://127.0.0.1:9000", "other", ""},
		{"https://s3.example.com", "other", ""},
		{"https://evil-backblazeb2.com", "other", ""},
		{"https://s3..backblazeb2.com", "other", ""},
	} {
		if p, region := Detect(c.endpoint); p.Name != c.name || region != c.region {
			t.Errorf("%s is of %s in the region %q, want %s in %q", c.endpoint, p.Name, region, c.name, c.region)
		}
	}
}

func TestWithoutBucket(t *testing.T) {
	for _, c := range []struct{ endpoint, want string }{
		{"https://blog.nyc3.digitaloceanspaces.com", "https://nyc3.digitaloceanspaces.com"},
		{"https://nyc3.digitaloceanspaces.com/", "https://nyc3.digitaloceanspaces.com/"},
		{"https://0123.r2.cloudflarestorage.com/blog", "https://0123.r2.cloudflarestorage.com"},
		{"https://blog.example.com", "https://blog.example.com"},
		{"https://proj.example.com/storage/v1/s3", "https://proj.example.com/storage/v1/s3"},
		{"", ""},
	} {
		if got := WithoutBucket(c.endpoint, "blog"); got != c.want {
			t.Errorf("%s without the bucket is %s, want %s", c.endpoint, got, c.want)
		}
	}
}

// TestTableHasSources: every answer has a source, and every name occurs once.
func TestTableHasSources(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Table() {
		if seen[p.Name] || p.Title == "" || p.Region == "" || p.StyleSource == "" {
			t.Errorf("the row %+v is not complete, or twice there", p)
		}
		seen[p.Name] = true
		for f, c := range p.Cells {
			if !slices.Contains(Features(), f) || (c.Has == Ask) != (c.Source == "") || c.Source != tested && c.Source != "" && !strings.HasPrefix(c.Source, "https://") {
				t.Errorf("%s, %s: %+v", p.Name, f, c)
			}
		}
	}
}

// TestServicesDocument holds docs/s3-services.md to the table. With -update it writes it.
func TestServicesDocument(t *testing.T) {
	const file = "../../../../docs/s3-services.md"
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := replaced(t, replaced(t, string(was), "services", services()), "features", features())
	if *update {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil || !*update && text != string(was) {
		t.Errorf("docs/s3-services.md is not of this table (hint: make docs): %v", err)
	}
}

// replaced puts a table between the document's marks.
func replaced(t *testing.T, text, mark, table string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, "<!-- "+mark+" -->\n")
	_, after, ends := strings.Cut(rest, "<!-- end -->")
	if !ok || !ends {
		t.Fatalf("the document has no marks for %s", mark)
	}
	return before + "<!-- " + mark + " -->\n" + table + "<!-- end -->" + after
}

func services() string {
	text := "| `provider` | service | endpoints | region | bucket is named in | |\n| --- | --- | --- | --- | --- | --- |\n"
	for _, p := range Table() {
		hosts, style := "any", "host"
		if len(p.Hosts) > 0 {
			hosts = "`" + strings.Join(p.Hosts, "`, `") + "`"
		}
		if p.PathStyle {
			style = "path"
		}
		text += fmt.Sprintf("| `%s` | %s | %s | `%s` | %s | %s |\n", p.Name, p.Title, hosts, p.Region, linked(style, p.StyleSource), p.Note)
	}
	return text
}

func features() string {
	text := "| |"
	for _, f := range Features() {
		text += " " + string(f) + " |"
	}
	text += "\n|" + strings.Repeat(" --- |", len(Features())+1) + "\n"
	for _, p := range Table() {
		text += "| " + p.Title + " |"
		for _, f := range Features() {
			text += " " + linked(p.Has(f).String(), p.Cells[f].Source) + " |"
		}
		text += "\n"
	}
	return text
}

func linked(text, source string) string {
	if strings.HasPrefix(source, "https://") {
		return "[" + text + "](" + source + ")"
	}
	return text
}
