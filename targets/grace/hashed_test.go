package grace

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// hashedNames are names as the generators and bundlers write them.
var hashedNames = map[string][]string{
	"webpack 5":        {"main.8e0d62a03a3f4b2e9f5c.js", "src_lazy_js.3c1f2b7a9d0e4f5a6b7c.js", "images/4f1b9a8c7d6e5f4a3b2c.png", "main.8e0d62a0.js.LICENSE.txt"},
	"vite":             {"assets/index-DiwrgTda.js", "assets/index-B_x9-aZ1.css", "assets/About-D-4xBk3Q.js", "assets/logo-CHSpx0Fz.svg", "assets/index-4ed993c7.js"},
	"rollup":           {"chunk-BqR4kz7D.js", "main-5d8f3a1c.js", "vendor-3xk9q2mz.js"},
	"esbuild":          {"chunk-3LQCFZ4H.js", "main-ABCDEFGH.js", "logo-5TQ4VQXK.png", "app-IZXL7SDK.css"},
	"parcel":           {"index.2d3ace14.js", "photo.8a9c7e21.webp", "index.2d3ace14.css.map"},
	"hugo":             {"css/main.min.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.css", "js/app.d41d8cd98f00b204e9800998ecf8427e.js"},
	"jekyll-assets":    {"assets/main-5eb63bbbe01eeed093cb22bb8f5acdc3.css", "assets/logo-2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824.png"},
	"next.js":          {"_next/static/chunks/main-0a1b2c3d4e5f6071.js", "_next/static/chunks/pages/_app-5b3b4c1d2e3f4a5b.js", "_next/static/css/ab12cd34ef567890.css", "_next/static/media/inter.1f9e2d3c.p.woff2", "_next/static/Xk3PqL9vT2mB7cR4nWz5y/_buildManifest.js"},
	"nuxt":             {"_nuxt/B1a2C3d4.js", "_nuxt/entry.AbCdEf12.css", "_nuxt/entry.7f3c2b1a.js", "_nuxt/DlAUqK2U.js"},
	"gatsby":           {"app-9c3f5a1b2d4e6f708192.js", "component---src-pages-index-js-1f2e3d4c5b6a79880716.js", "static/d1bdbcd0fb7f2c5cd8dd0b6b3e1f4c9f/0a6f2/logo.png"},
	"astro":            {"_astro/x.AbC123_z.js", "_astro/hoisted.CwQ8hJ2n.js", "_astro/photo.DhLq-2xV_Z1a2b3c.webp", "_astro/index.aBcDeFgH.css"},
	"sveltekit":        {"_app/immutable/entry/start.BxYz12_q.js", "_app/immutable/chunks/B2n3kX_a.js", "_app/immutable/nodes/0.CkQwErTy.js", "_app/immutable/assets/0.DzXcVbNm.css"},
	"angular":          {"main-5TQ4VQXK.js", "styles-5INURTSO.css", "main.3a4b5c6d7e8f90123456.js", "polyfills-B6TNHZQ6.js", "media/roboto-QWZ4XNYK.woff2"},
	"create-react-app": {"static/js/main.4b0c8d3a.js", "static/js/787.0d2f5c81.chunk.js", "static/css/main.f855e6bc.css", "static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg"},
	"vue-cli":          {"js/chunk-vendors.3a2e9f4b.js", "js/app.64c5a9b2.js.map", "css/app.fb0c6e1c.css"},
	"eleventy":         {"img/6dfd7ac6-300.webp", "img/Ptt2TYvYpV-600.jpeg"},
	"sprockets":        {"assets/application-4b1f2c3d5e6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c.js", "assets/logo-908e25f4bf641868d8683022a5b62f54.png"},
	"laravel":          {"build/assets/app-4ed993c7.js", "build/assets/app-CkQwErTy.css", "js/vendor.3f786850.js"},
	"docusaurus":       {"assets/js/main.1a2b3c4d.js", "assets/js/17896441.d3b4a1c2.js", "assets/images/logo-0a1b2c3d4e5f60718293a4b5c6d7e8f9.png"},
	"vitepress":        {"assets/index.md.BxY12_aZ.js", "assets/guide_start.md.DkQ93xZv.lean.js", "assets/style.CkQwErTy.css"},
	"zola":             {"processed_images/photo.2b3c4d5e6f708192.jpg", "processed_images/2b3c4d5e6f70819200.jpg"},
	"mkdocs-material":  {"assets/javascripts/bundle.83f73b43.min.js", "assets/stylesheets/main.342714a4.min.css", "assets/javascripts/workers/search.16e2a7d4.min.js"},
	"bun":              {"chunk-7kx2m9qz.js", "index-a1b2c3d4.js"},
	"digits alone":     {"main.28374651.js", "app-90817263.css"},
}

func TestHashedNamesOfGenerators(t *testing.T) {
	for generator, names := range hashedNames {
		for _, name := range names {
			if !Hashed(name) {
				t.Errorf("%s: %q is not taken for a hashed name", generator, name)
			}
			if !Hashed("blog/" + name) {
				t.Errorf("%s: %q is not taken for a hashed name below a folder", generator, name)
			}
		}
	}
}

func TestNamesWithoutAHash(t *testing.T) {
	for _, name := range []string{
		"index.html", "deadbeef.html", "index.2d3ace14.html", "main.8e0d62a03a3f4b2e9f5c.xml", "notes.4b0c8d3a.txt", "4b0c8d3a.md",
		"2015-11-15/index.html", "2015-11-15.jpg", "2015-11-15/photo.jpg", "20151115.js", "app.20151115.js", "data-20240229.json", "shot-20240131123059.png",
		"jquery-3.7.1.min.js", "bootstrap.5.3.0.min.css", "app-1.2.3-rc.1.js", "three.r158.module.js", "vue.v3.4.21.global.js", "lib-10.20.30.js",
		"cafebabe.png", "deadbeef.js", "facade.js", "logo-decade.png", "main-component.js", "README-database.txt", "user-settings.js", "icon-facebook.svg",
		"550e8400-e29b-41d4-a716-446655440000.jpg", "files/550e8400-e29b-41d4-a716-446655440000/photo.jpg", "v/550E8400-E29B-41D4-A716-446655440000.mp4",
		"Inter-SemiBold.woff2", "OpenSans-LightItalic.ttf", "KaTeX_Main-BoldItalic.woff2", "KaTeX_Size4-Regular.woff2", "roboto-v30-latin-regular.woff2", "fa-brands-400.woff2",
		"app-LoginBox.js", "my-DataTable.js", "HomePage.js", "components/UserCard.js", "polyfills-es2015.js", "web3auth.js", "main-web3auth.js", "app-version2.js", "beta1234.js", "main-beta1234.js",
		"icon-192x192.png", "photo-1920x1080.jpg", "banner-1024x768.png", "logo-dark-2x.png", "icon-set-v2-1.svg", "a-the-end2.png",
		"IMG_20231105.jpg", "IMG-20231105-WA0012.jpg", "DSC-IMG00123.jpg", "DSCN1234.jpg", "PICT0001-DSCN1234.jpg", "IMG_1234.png", "IMG-HOLIDAYS.jpg", "PHOTO-WEDDINGS.jpg",
		"favicon.ico", "apple-touch-icon-180x180.png", "logo.svg", "style.css", "search.json", "page-data/index/page-data.json", "CNAME", "robots.txt", "sitemap.xml", "assets/12345678.jpg", "photo-12345678.jpg",
		"downloads/mirror-linux-amd64.bin", "fonts/glyphicons-halflings-regular.woff2", "js/i18n-messages.js", "lang/zh-Hans-CN.json", "highlight.js/styles/atom-one-dark.css", "a", "", "/", ".js", "..js", "-.js", "--------.js", "________.css", ".min.js",
	} {
		if Hashed(name) {
			t.Errorf("%q is taken for a hashed name", name)
		}
	}
}

// TestRandomHashes counts the hashes that are missed, for each alphabet. The figures are in docs/grace.md.
func TestRandomHashes(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	const tries = 20_000
	for _, c := range []struct {
		name   string
		format string
		text   func(raw []byte) string
		most   int
	}{
		{"hex, 8", "main.%.8s.js", hex.EncodeToString, 60},
		{"hex, 20", "main.%.20s.js", hex.EncodeToString, 0},
		{"hex, 64", "main.%.64s.css", hex.EncodeToString, 0},
		{"base64url, 8", "assets/index-%.8s.js", base64.RawURLEncoding.EncodeToString, 400},
		{"base64url, 8, own folder", "_astro/index.%.8s.js", base64.RawURLEncoding.EncodeToString, 10},
		{"base32, 8", "main-%.8s.js", base32.StdEncoding.EncodeToString, 20},
	} {
		missed, example := 0, ""
		for range tries {
			raw := make([]byte, 64)
			for i := range raw {
				raw[i] = byte(r.Uint32())
			}
			if name := fmt.Sprintf(c.format, c.text(raw)); !Hashed(name) {
				missed, example = missed+1, name
			}
		}
		t.Logf("%s: %d of %d missed (%s)", c.name, missed, tries, example)
		if missed > c.most {
			t.Errorf("%s: %d of %d are missed, at most %d may be, such as %s", c.name, missed, tries, c.most, example)
		}
	}
}

func FuzzHashed(f *testing.F) {
	for _, names := range hashedNames {
		f.Add(names[0])
	}
	f.Fuzz(func(t *testing.T, name string) {
		if Hashed(name) && (strings.HasSuffix(name, ".html") || strings.HasSuffix(name, ".xml")) {
			t.Errorf("%q is a page", name)
		}
	})
}
