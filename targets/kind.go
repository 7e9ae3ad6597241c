package targets

import (
	"context"
	"net/url"
	"slices"
)

// Kind is all that other packages may know about one kind of target. Each package below
// targets exports its own, and package kinds lists them.
type Kind struct {
	Name string // what the config calls it: type: NAME
	// Config is a zero value of the kind's config struct, whose tags are the keys that such a
	// target may have in mirror.yaml (see package config). nil leaves the keys to Open.
	Config any
	// Source is the Go source with the doc comments of the config struct: the descriptions of its keys in
	// the JSON Schema and in docs/config.md.
	Source string
	Open   Factory
	Traits Traits
	// Place tells where a target with this config writes. Nil where that cannot be told.
	Place func(decode Decode) (Place, error)
	// WrongKeep says why a target cannot keep the paths that the last of these globs matches; "" where it
	// can. Nil where it can keep any.
	WrongKeep func(globs Keep) string
	// ExpectedHeaders returns what the config has the origin send with a page; nil, or a nil
	// function, where it says nothing.
	ExpectedHeaders func(decode Decode) (HeaderFunc, error)
	// OriginHint says what in a target's config is likely wrong where its origin answers so in place of
	// the release, and what to do; "" where nothing is known. Nil likewise.
	OriginHint func(decode Decode, a OriginAnswer) string
	// Private is a file that the target keeps beside the site and that visitors need not read. Nil for
	// none.
	Private *PrivateFile
	// OwnFiles are the paths that the target adds to a site by itself. They are no drift.
	OwnFiles []string
	// StoredSecrets tells of the keys and passwords in the files that the tools for this kind
	// keep them in, before any target is opened. It is best effort; nil where there are none.
	StoredSecrets func(getenv func(string) string, tell func(source, value string))
	Sample        Sample
}

// PrivateFile is a file of a target's own that is stored where the origin may serve it.
type PrivateFile struct {
	Path string // relative to the site
	Type string // the Content-Type that it is stored with
	Hint string // how to keep it from visitors
}

// OriginAnswer is how a target's origin answers in place of the release.
type OriginAnswer struct {
	Status   int      // of HTTP
	Type     string   // Content-Type, "" where it is unknown
	Location *url.URL // where a redirect to another host leads, nil for none
	Folders  bool     // only URLs that end in a slash are answered so
	NoIndex  bool     // origin.index is false: no URL that ends in a slash is requested
	Other    bool     // it serves another site, or another release that is not known
}

// Traits are what a publish must know about a kind of target, and may learn nowhere else.
type Traits struct {
	// CompareAndSwap: Commit refuses when another publisher was there first.
	CompareAndSwap bool
	// Atomic: Commit shows all of a release or nothing of it.
	Atomic bool
	// Deploys: the origin switches some time after Commit, since something else deploys what
	// was committed (Pages, a container runtime).
	Deploys bool
	// LateGrace: files of earlier releases stay until the next publish, also when their time is over
	// (see Gracer). Prune of other kinds removes them.
	LateGrace bool
}

// Decode fills in a config struct from a target's part of the config.
type Decode func(config any) error

// Factory opens a target from its part of the config, which decode fills in.
type Factory func(ctx context.Context, env Env, decode func(config any) error) (Target, error)

// Place is where a target writes. Two targets must not have the same.
type Place struct {
	ID string // tells it from every other place of this kind
	// Key is the key of the config that says where, for errors; "" where no single one does.
	Key string
	// Folder is the absolute path of the local folder that is written to, "" for none.
	Folder string
}

// HeaderFunc returns the value of a response header of a page, "" where any will do.
type HeaderFunc func(path, name string) string

// Sample is how `mirror init` writes a target of this kind.
type Sample struct {
	Name  string // the target's usual name
	About string // one sentence, written as a comment above the target
	Keys  []SampleKey
	// Asked are further keys that a person is asked for on a terminal. They are among Options.
	Asked   []SampleKey
	Options string // further keys, commented out, a line each
	Origin  string // placeholder of the live site's URL
	// Usual targets are written where the user names no kind.
	Usual bool
	// FromRemote returns values and the live site's URL as the site's own git remote suggests
	// them. Nil where a remote says nothing about this kind.
	FromRemote func(remote string) (values map[string]string, origin string)
}

// SampleKey is a key with a value that parses.
type SampleKey struct {
	Name, Value string
	// Placeholder: the value is plain to see as one that must be replaced.
	Placeholder bool
}

// Kinds is a list of kinds with distinct names.
type Kinds []Kind

// Find returns the kind of that name.
func (ks Kinds) Find(name string) (Kind, bool) {
	i := slices.IndexFunc(ks, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return ks[i], true
}

// Names lists the kinds' names in alphabetical order.
func (ks Kinds) Names() []string {
	var names []string
	for _, k := range ks {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	return names
}
