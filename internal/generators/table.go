package generators

import "slices"

// table lists the generators that Detect knows. One whose marks are also another's comes after it.
func table() []generator {
	return slices.Concat(documentation(), frameworks(), python(), others(), bundlers())
}

// documentation lists those in JavaScript that are made for documents and blogs.
func documentation() []generator {
	return []generator{
		{
			name: "docusaurus", marks: anyOf(flavours("docusaurus.config")...), usual: "build", files: flavours("docusaurus.config"),
			programs: []string{"docusaurus"}, verbs: []string{"build"}, flags: []string{"--out-dir"}, configs: []string{"--config"},
			urls: []string{"url"}, paths: []string{"baseUrl"},
		},
		{
			name: "gatsby", marks: anyOf(flavours("gatsby-config")...), usual: "public", files: flavours("gatsby-config"),
			programs: []string{"gatsby"}, verbs: []string{"build"}, build: fixed("npx gatsby build"),
			urls: []string{"siteMetadata.siteUrl"},
		},
		{
			name: "astro", marks: either(anyOf(flavours("astro.config")...), dependsOn("astro")), usual: "dist",
			files: flavours("astro.config"), keys: []string{"outDir"}, base: rootOption("root", "astro.config"),
			programs: []string{"astro"}, verbs: []string{"build"}, flags: []string{"--outDir"}, configs: []string{"--config"},
			urls: []string{"site"}, paths: []string{"base"},
		},
		{
			name: "vitepress", marks: inDocs(".vitepress"), usualIn: docsDist(".vitepress"), filesIn: docsConfig(".vitepress"),
			keys: []string{"outDir"}, base: func(p project) string { return p.docsRoot(".vitepress") },
			programs: []string{"vitepress"}, verbs: []string{"build"}, flags: []string{"--outDir"}, build: docsBuild("vitepress"),
			paths: []string{"base"},
		},
		{
			name: "vuepress", marks: inDocs(".vuepress"), usualIn: docsDist(".vuepress"), filesIn: docsConfig(".vuepress"),
			keys: []string{"dest"}, programs: []string{"vuepress", "vuepress-vite", "vuepress-webpack"}, verbs: []string{"build"},
			flags: []string{"-d", "--dest"}, configs: []string{"-c", "--config"}, build: docsBuild("vuepress"),
			paths: []string{"base"},
		},
		{
			name: "rspress", marks: anyOf(flavours("rspress.config")...), usual: "doc_build", files: flavours("rspress.config"),
			keys: []string{"outDir"}, programs: []string{"rspress"}, verbs: []string{"build"}, configs: []string{"-c", "--config"},
		},
		{
			name:  "eleventy",
			marks: either(anyOf(append(flavours("eleventy.config"), flavours(".eleventy")...)...), dependsOn("@11ty/eleventy")),
			usual: "_site", files: append(flavours(".eleventy"), flavours("eleventy.config")...),
			keys: []string{"dir.output", "setOutputDirectory()"}, programs: []string{"eleventy", "@11ty/eleventy"},
			flags: []string{"--output"}, configs: []string{"--config"}, build: fixed("npx @11ty/eleventy"),
		},
	}
}

// frameworks are those in JavaScript for applications, and older ones.
func frameworks() []generator {
	return []generator{
		{
			name: "next", marks: either(anyOf(flavours("next.config")...), dependsOn("next")), usual: "out",
			files: flavours("next.config"), keys: []string{"distDir"}, programs: []string{"next"},
			verbs: []string{"build", "export"}, command: nextExport, only: nextServes, paths: []string{"basePath"},
			adjust: nextFolder,
		},
		{
			name: "nuxt", marks: either(anyOf(flavours("nuxt.config")...), dependsOn("nuxt", "nuxt3")), usualIn: nuxtUsual,
			files: flavours("nuxt.config"), keys: []string{"nitro.output.publicDir", "generate.dir"},
			programs: []string{"nuxt", "nuxi"}, verbs: []string{"generate"}, build: nuxtBuild, paths: []string{"app.baseURL"},
		},
		{
			name: "sveltekit", marks: either(dependsOn("@sveltejs/kit"), contains("svelte.config.js", `@sveltejs/adapter-static`)),
			usual: "build", files: flavours("svelte.config"), keys: []string{"kit.adapter.pages"}, programs: []string{"vite"},
			verbs: []string{"build"}, only: svelteServes, paths: []string{"kit.paths.base"},
		},
		{
			name: "hexo", marks: isHexo, usual: "public", files: []string{"_config.yml", "_config.yaml"},
			keys: []string{"public_dir"}, programs: []string{"hexo"}, verbs: []string{"generate", "g"},
			configs: []string{"--config"}, build: fixed("npx hexo generate"), urls: []string{"url"}, paths: []string{"root"},
			deploy: project.hexoDeploy,
		},
		{
			name: "gitbook", marks: isGitBook, usual: "_book", files: []string{"book.json", "book.js"},
			programs: []string{"honkit", "gitbook"}, verbs: []string{"build"}, command: secondOperand, build: gitBookBuild,
		},
	}
}

// bundlers are marked by a dependency alone.
func bundlers() []generator {
	return []generator{
		{
			name: "create-react-app", marks: dependsOn("react-scripts", "react-app-rewired", "@craco/craco"), usual: "build",
			files: []string{".env.production.local", ".env.local", ".env.production", ".env"}, keys: []string{"BUILD_PATH"},
			programs: []string{"react-scripts", "react-app-rewired", "craco"}, verbs: []string{"build"}, command: buildPath,
		},
		{
			name: "vue-cli", marks: dependsOn("@vue/cli-service"), usual: "dist", files: flavours("vue.config"),
			keys: []string{"outputDir"}, programs: []string{"vue-cli-service"}, verbs: []string{"build"}, flags: []string{"--dest"},
			paths: []string{"publicPath"},
		},
		{
			name: "gridsome", marks: dependsOn("gridsome"), usual: "dist", files: flavours("gridsome.config"),
			keys: []string{"outputDir"}, programs: []string{"gridsome"}, verbs: []string{"build"}, urls: []string{"siteUrl"},
		},
		{
			name: "vite", marks: either(anyOf(flavours("vite.config")...), dependsOn("vite", "rolldown-vite")), usualIn: viteUsual,
			files: flavours("vite.config"), keys: []string{"build.outDir"}, base: viteRoot, programs: []string{"vite"},
			verbs: []string{"build"}, flags: []string{"--outDir"}, flagsInBase: true, configs: []string{"-c", "--config"},
			only: viteServes, paths: []string{"base"},
		},
		{
			name: "parcel", marks: dependsOn("parcel", "parcel-bundler"), usual: "dist", programs: []string{"parcel"},
			verbs: []string{"build"}, flags: []string{"--dist-dir", "-d", "--out-dir"},
		},
	}
}

// python lists those in Python.
func python() []generator {
	return []generator{
		{
			name: "mkdocs", marks: anyOf("mkdocs.yml", "mkdocs.yaml"), usual: "site", filesIn: mkdocsConfigs,
			keys: []string{"site_dir"}, programs: []string{"mkdocs"}, verbs: []string{"build"}, flags: []string{"-d", "--site-dir"},
			configs: []string{"-f", "--config-file"}, build: fixed("mkdocs build"), urls: []string{"site_url"},
		},
		{
			name: "pelican", marks: anyOf("pelicanconf.py"), usual: "output", files: []string{"publishconf.py", "pelicanconf.py"},
			keys: []string{"OUTPUT_PATH"}, programs: []string{"pelican"}, flags: []string{"-o", "--output"},
			configs: []string{"-s", "--settings"}, build: pelicanBuild, urls: []string{"SITEURL"},
		},
		{
			name: "nikola", marks: contains("conf.py", `(?m)^BLOG_TITLE\s*=`), usual: "output", files: []string{"conf.py"},
			keys: []string{"OUTPUT_FOLDER"}, build: fixed("nikola build"), urls: []string{"SITE_URL"},
		},
		{
			name: "sphinx", marks: isSphinx, usualIn: sphinxUsual, filesIn: sphinxConfigs, programs: []string{"sphinx-build"},
			command: sphinxOperand, build: sphinxBuild, urls: []string{"html_baseurl"},
		},
	}
}

// others are in other languages.
func others() []generator {
	return []generator{
		{
			name: "jekyll", marks: isJekyll, usual: "_site", filesIn: jekyllConfigs, keys: []string{"destination"},
			programs: []string{"jekyll"}, verbs: []string{"build", "b"}, flags: []string{"-d", "--destination"},
			configs: []string{"--config"}, build: jekyllBuild, urls: []string{"url"}, paths: []string{"baseurl"},
		},
		{
			name: "mdbook", marks: anyOf("book.toml"), usual: "book", files: []string{"book.toml"},
			keys: []string{"build.build-dir"}, programs: []string{"mdbook"}, verbs: []string{"build"},
			flags: []string{"-d", "--dest-dir"}, build: fixed("mdbook build"), adjust: mdbookFolder,
		},
		{
			name: "zola", marks: isZola, usual: "public", files: []string{"zola.toml", "config.toml"}, keys: []string{"output_dir"},
			programs: []string{"zola"}, verbs: []string{"build"}, flags: []string{"-o", "--output-dir"},
			configs: []string{"-c", "--config"}, build: fixed("zola build"), urls: []string{"base_url"},
		},
		{
			name: "hugo", marks: isHugo, usual: "public", filesIn: hugoConfigs, keys: []string{"(?i)publishDir"},
			programs: []string{"hugo"}, flags: []string{"-d", "--destination"}, configs: []string{"--config"}, command: hugoVariable,
			build: fixed("hugo"), urls: []string{"(?i)baseURL"},
		},
		{
			name: "quarto", marks: anyOf("_quarto.yml", "_quarto.yaml"), usualIn: quartoUsual,
			files: []string{"_quarto.yml", "_quarto.yaml"}, keys: []string{"project.output-dir"}, build: fixed("quarto render"),
		},
	}
}

func fixed(text string) func(project) string { return func(project) string { return text } }

func anyOf(names ...string) func(project) bool {
	return func(p project) bool { return p.has(names...) }
}

func dependsOn(names ...string) func(project) bool {
	return func(p project) bool { return p.uses(names...) }
}

func contains(name, pattern string) func(project) bool {
	return func(p project) bool { return p.mentions(name, pattern) }
}

func either(all ...func(project) bool) func(project) bool {
	return func(p project) bool {
		for _, one := range all {
			if one(p) {
				return true
			}
		}
		return false
	}
}
