// Package cdn knows what caches before an origin do with a request: whether the query is in their key, whether they honour
// what a request says of caching, and how a page is removed from them. What is known is data, a row for each provider, and
// each cell has its source.
package cdn

import "slices"

// Provider is a row of the table. A cell holds the provider's default: what a customer has configured is not known.
type Provider struct {
	Name  string // as in the config: cdn: NAME
	Title string
	Query Cell // whether the cache key has the query
	// Directives is whether Cache-Control: no-cache, no-store in a request is honoured. Yes means that it is
	// probed; No covers what is not documented.
	Directives Cell
	Status     Cell // the response headers that tell a hit
	Purge      Cell // how a page is removed
}

// Cell is one fact with its source.
type Cell struct {
	Yes    bool
	Text   string // for people
	Source string // URL, or where it was tried
}

// Find returns the row of a provider.
func Find(name string) (Provider, bool) {
	all := Providers()
	i := slices.IndexFunc(all, func(p Provider) bool { return p.Name == name })
	if i < 0 {
		return Provider{}, false
	}
	return all[i], true
}

// Names lists the providers.
func Names() []string {
	var names []string
	for _, p := range Providers() {
		names = append(names, p.Name)
	}
	return names
}
