// Package generators finds out which program makes the site of a project, and into which folder, by the files
// that the program itself is configured with. It reads literals only: it runs nothing and evaluates no
// expression, and says where one stands in the way.
package generators

// Site is a site's folder as its generator makes it.
type Site struct {
	Generator string // hexo, hugo, …, plain for files without one, "" where nothing was found
	Dir       string // the generated files, relative to the project; "" where that cannot be told
	Build     string // the command that generates them, "" for none
	Source    string // where Dir is set: hugo.toml:3; "" for the generator's usual folder
	Unknown   string // why Dir cannot be told: for people, a sentence without an end
	URL       string // the address of the live site that the config names, "" for none
	CNAME     string // the site's own domain by its file CNAME, "" for none
	Deploy    Deploy // where the generator itself deploys to
}

// Deploy is a git repository that a generator deploys to.
type Deploy struct{ Repository, Branch string }
