package scaffold

import (
	"maps"
	"os"
	"path/filepath"
	"strings"

	"mirror/internal/generators"
	"mirror/targets"
)

// Options say what a new config is to have.
type Options struct {
	Folder string   // of the project
	Dir    string   // the generated site; "" for what the generator's own config names
	Build  string   // "" for the generator's command
	Kinds  []string // of targets; none for the usual ones
	Prompt Prompt   // asks a person; nil for no questions
}

// Draft is a new config.
type Draft struct {
	Text  []byte
	Site  generators.Site
	Notes []string // what a person should know of it
	// Remote is the URL of the git remote from which Suggested was taken. It may hold a secret.
	Remote    string
	Suggested map[string]string
}

// New drafts a config for the project in a folder: the generator that makes its site says where that is, and
// the generator's config, a file CNAME and the git remote say where it is published. A person is asked for
// the rest.
func New(o Options, kinds targets.Kinds) (Draft, error) {
	d := Draft{Site: generators.Detect(os.DirFS(o.Folder)), Remote: Remote(o.Folder)}
	if d.Site.Deploy.Repository != "" {
		d.Remote = d.Site.Deploy.Repository
	}
	if o.Build != "" {
		d.Site.Build = o.Build
	}
	if o.Dir != "" {
		d.Site.Dir, d.Site.Unknown = o.Dir, ""
	}
	ask := interview{o.Prompt, kinds, o.Folder}
	if err := ask.site(&d.Site, o); err != nil {
		return d, err
	}
	names, err := ask.kindsOf(o, d.Remote != "")
	if err != nil {
		return d, err
	}
	all := Targets(kinds, names, d.Remote, d.Site)
	for _, t := range all {
		if t.Values["url"] != "" {
			d.Suggested = maps.Clone(t.Values) // answers change the other
		}
	}
	d.note(o)
	if err := ask.targets(all); err != nil {
		return d, err
	}
	d.Text, err = Render(d.Site, all, kinds)
	return d, err
}

// note notes what is unusual about the folder of the site.
func (d *Draft) note(o Options) {
	if d.Site.Unknown != "" {
		d.Notes = append(d.Notes, "the folder of the generated site is not known: "+d.Site.Unknown+" (hint: fill in site.dir, or give it with --dir)")
	}
	if more := mixed(o.Folder, d.Site.Dir); more != "" && d.Site.Dir != "" {
		d.Notes = append(d.Notes, "site.dir is the project's own folder, which has "+more+": all that it holds would be published (hint: exclude what is not the site)")
	}
}

// SecretRemote says what to use in the place of a user name or a secret that the URL of the git remote
// holds and the config does not get; "" where there is none.
func (d Draft) SecretRemote() (hint string) {
	if url := d.Suggested["url"]; url == "" || url == d.Remote {
		return ""
	}
	if variable := d.Suggested["token_env"]; variable != "" {
		return "put the token into the environment variable " + variable + ", which token_env names"
	}
	return "use a key: ssh_key"
}

// mixed names what a folder holds beside a site, where it is the project's own; "" for nothing.
func mixed(project, dir string) string {
	absolute := dir
	if !filepath.IsAbs(dir) {
		absolute = filepath.Join(project, dir)
	}
	a, errA := filepath.Abs(project)
	b, errB := filepath.Abs(absolute)
	if errA != nil || errB != nil || a != b && !strings.HasPrefix(a, b+string(filepath.Separator)) {
		return ""
	}
	for _, name := range []string{"package.json", ".git", "node_modules", ".env"} {
		if _, err := os.Lstat(filepath.Join(b, name)); err == nil {
			return name
		}
	}
	return ""
}

// Done says what was written, and what to do next, for a person.
func (d Draft) Done(file string, asked bool) string {
	next := "; fill in the targets, then try: mirror plan"
	if asked {
		next = "; try: mirror plan"
	}
	return d.written(file) + next
}

func (d Draft) written(file string) string {
	s := d.Site
	where := s.Dir
	if s.Source != "" {
		where += " (by " + s.Source + ")"
	}
	switch {
	case s.Dir == "":
		return "wrote " + file + ", in which site.dir is to be filled in"
	case s.Generator == "":
		return "found no generated site here; wrote " + file + " for one in " + where
	}
	return "wrote " + file + " for the " + s.Generator + " site in " + where
}
