package generators

// table lists the generators that Detect knows. One whose marks are also another's comes after it.
func table() []generator {
	return append(append(frameworks(), others()...), bundlers()...)
}

// frameworks are those in JavaScript with marks of their own.
func frameworks() []generator {
	return []generator{
		{name: "docusaurus", verbs: []string{"build"}, configs: []string{"--config"}, marks: anyOf(flavours("docusaurus.config")...), usual: "build", programs: []string{"docusaurus"}, flags: []string{"--out-dir"},
			files: flavours("docusaurus.config"), urls: []string{"url"}, paths: []string{"baseUrl"}},
		{name: "gatsby", verbs: []string{"build"}, marks: anyOf(flavours("gatsby-config")...), usual: "public", programs: []string{"gatsby"},
			files: flavours("gatsby-config"), urls: []string{"siteMetadata.siteUrl"}, build: fixed("npx gatsby build")},
		{name: "astro", verbs: []string{"build"}, configs: []string{"--config"}, marks: either(anyOf(flavours("astro.config")...), uses("astro")), usual: "dist", files: flavours("astro.config"), keys: []string{"outDir"},
			base: rootOption("root", "astro.config"), programs: []string{"astro"}, flags: []string{"--outDir"}, urls: []string{"site"}, paths: []string{"base"}},
		{name: "vitepress", verbs: []string{"build"}, marks: inDocs(".vitepress"), usualIn: docsDist(".vitepress"), filesIn: docsConfig(".vitepress"), keys: []string{"outDir"},
			base: func(p project) string { return p.docsRoot(".vitepress") }, programs: []string{"vitepress"}, flags: []string{"--outDir"}, build: docsBuild("vitepress"), paths: []string{"base"}},
		{name: "vuepress", verbs: []string{"build"}, configs: []string{"-c", "--config"}, marks: inDocs(".vuepress"), usualIn: docsDist(".vuepress"), filesIn: docsConfig(".vuepress"), keys: []string{"dest"},
			programs: []string{"vuepress", "vuepress-vite", "vuepress-webpack"}, flags: []string{"-d", "--dest"}, build: docsBuild("vuepress"), paths: []string{"base"}},
		{name: "rspress", verbs: []string{"build"}, configs: []string{"-c", "--config"}, marks: anyOf(flavours("rspress.config")...), usual: "doc_build", files: flavours("rspress.config"), keys: []string{"outDir"}, programs: []string{"rspress"}},
		{name: "eleventy", configs: []string{"--config"}, marks: either(anyOf(append(flavours("eleventy.config"), flavours(".eleventy")...)...), uses("@11ty/eleventy")), usual: "_site",
			files: append(flavours(".eleventy"), flavours("eleventy.config")...), keys: []string{"dir.output", "setOutputDirectory()"},
			programs: []string{"eleventy", "@11ty/eleventy"}, flags: []string{"--output"}, build: fixed("npx @11ty/eleventy")},
		{name: "next", verbs: []string{"build", "export"}, marks: either(anyOf(flavours("next.config")...), uses("next")), usual: "out", files: flavours("next.config"), keys: []string{"distDir"},
			programs: []string{"next"}, command: nextExport, only: nextServes, paths: []string{"basePath"}, adjust: nextFolder},
		{name: "nuxt", verbs: []string{"generate"}, marks: either(anyOf(flavours("nuxt.config")...), uses("nuxt", "nuxt3")), usualIn: nuxtUsual, files: flavours("nuxt.config"),
			keys: []string{"nitro.output.publicDir", "generate.dir"}, programs: []string{"nuxt", "nuxi"}, build: nuxtBuild, paths: []string{"app.baseURL"}},
		{name: "sveltekit", verbs: []string{"build"}, marks: either(uses("@sveltejs/kit"), contains("svelte.config.js", `@sveltejs/adapter-static`)), usual: "build", files: flavours("svelte.config"),
			keys: []string{"kit.adapter.pages"}, programs: []string{"vite"}, only: svelteServes, paths: []string{"kit.paths.base"}},
		{name: "hexo", deploy: project.hexoDeploy, verbs: []string{"generate", "g"}, configs: []string{"--config"}, marks: isHexo, usual: "public", files: []string{"_config.yml", "_config.yaml"}, keys: []string{"public_dir"}, programs: []string{"hexo"},
			urls: []string{"url"}, paths: []string{"root"}, build: fixed("npx hexo generate")},
		{name: "gitbook", verbs: []string{"build"}, marks: isGitBook, usual: "_book", programs: []string{"honkit", "gitbook"}, command: secondOperand, build: gitBookBuild, files: []string{"book.json", "book.js"}},
	}
}

// bundlers are marked by a dependency alone.
func bundlers() []generator {
	return []generator{
		{name: "create-react-app", verbs: []string{"build"}, marks: uses("react-scripts", "react-app-rewired", "@craco/craco"), usual: "build", programs: []string{"react-scripts", "react-app-rewired", "craco"},
			command: buildPath, files: []string{".env.production.local", ".env.local", ".env.production", ".env"}, keys: []string{"BUILD_PATH"}},
		{name: "vue-cli", verbs: []string{"build"}, marks: uses("@vue/cli-service"), usual: "dist", files: flavours("vue.config"), keys: []string{"outputDir"}, programs: []string{"vue-cli-service"},
			flags: []string{"--dest"}, paths: []string{"publicPath"}},
		{name: "gridsome", verbs: []string{"build"}, marks: uses("gridsome"), usual: "dist", files: flavours("gridsome.config"), keys: []string{"outputDir"}, programs: []string{"gridsome"}, urls: []string{"siteUrl"}},
		{name: "vite", verbs: []string{"build"}, configs: []string{"-c", "--config"}, flagsInBase: true, marks: either(anyOf(flavours("vite.config")...), uses("vite", "rolldown-vite")), usualIn: viteUsual, files: flavours("vite.config"), keys: []string{"build.outDir"},
			base: viteRoot, only: viteServes, programs: []string{"vite"}, flags: []string{"--outDir"}, paths: []string{"base"}},
		{name: "parcel", verbs: []string{"build"}, marks: uses("parcel", "parcel-bundler"), usual: "dist", programs: []string{"parcel"}, flags: []string{"--dist-dir", "-d", "--out-dir"}},
	}
}

// others are not in JavaScript.
func others() []generator {
	return []generator{
		{name: "jekyll", verbs: []string{"build", "b"}, configs: []string{"--config"}, marks: isJekyll, usual: "_site", filesIn: jekyllConfigs, keys: []string{"destination"}, programs: []string{"jekyll"}, flags: []string{"-d", "--destination"},
			build: jekyllBuild, urls: []string{"url"}, paths: []string{"baseurl"}},
		{name: "mkdocs", verbs: []string{"build"}, configs: []string{"-f", "--config-file"}, marks: anyOf("mkdocs.yml", "mkdocs.yaml"), usual: "site", filesIn: mkdocsConfigs, keys: []string{"site_dir"}, programs: []string{"mkdocs"},
			flags: []string{"-d", "--site-dir"}, build: fixed("mkdocs build"), urls: []string{"site_url"}},
		{name: "pelican", configs: []string{"-s", "--settings"}, marks: anyOf("pelicanconf.py"), usual: "output", files: []string{"publishconf.py", "pelicanconf.py"}, keys: []string{"OUTPUT_PATH"},
			programs: []string{"pelican"}, flags: []string{"-o", "--output"}, build: pelicanBuild, urls: []string{"SITEURL"}},
		{name: "mdbook", verbs: []string{"build"}, marks: anyOf("book.toml"), usual: "book", files: []string{"book.toml"}, keys: []string{"build.build-dir"}, programs: []string{"mdbook"},
			flags: []string{"-d", "--dest-dir"}, build: fixed("mdbook build"), adjust: mdbookFolder},
		{name: "zola", verbs: []string{"build"}, configs: []string{"-c", "--config"}, marks: isZola, usual: "public", files: []string{"zola.toml", "config.toml"}, keys: []string{"output_dir"}, programs: []string{"zola"},
			flags: []string{"-o", "--output-dir"}, build: fixed("zola build"), urls: []string{"base_url"}},
		{name: "hugo", command: hugoVariable, configs: []string{"--config"}, marks: isHugo, usual: "public", filesIn: hugoConfigs, keys: []string{"(?i)publishDir"}, programs: []string{"hugo"}, flags: []string{"-d", "--destination"},
			build: fixed("hugo"), urls: []string{"(?i)baseURL"}},
		{name: "sphinx", marks: isSphinx, usualIn: sphinxUsual, programs: []string{"sphinx-build"}, command: sphinxOperand, build: sphinxBuild, filesIn: sphinxConfigs, urls: []string{"html_baseurl"}},
		{name: "nikola", marks: contains("conf.py", `(?m)^BLOG_TITLE\s*=`), usual: "output", files: []string{"conf.py"}, keys: []string{"OUTPUT_FOLDER"}, build: fixed("nikola build"), urls: []string{"SITE_URL"}},
		{name: "quarto", marks: anyOf("_quarto.yml", "_quarto.yaml"), usualIn: quartoUsual, files: []string{"_quarto.yml", "_quarto.yaml"}, keys: []string{"project.output-dir"}, build: fixed("quarto render")},
	}
}

func fixed(text string) func(project) string { return func(project) string { return text } }

func anyOf(names ...string) func(project) bool {
	return func(p project) bool { return p.has(names...) }
}

func uses(names ...string) func(project) bool {
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
