package planfile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"mirror/reports"
)

// An error lists at most so many paths of one target, or of the site, and so many lines.
const (
	maxListed      = 10
	maxDifferences = 60
)

// ChangedError says that a publish would not do what a plan says.
type ChangedError struct {
	Differences []string // each a line
}

// Error lists the differences.
func (e *ChangedError) Error() string {
	return "the plan is out of date and was not carried out:\n  " + strings.Join(e.Differences, "\n  ") +
		"\n(hint: make a new plan with mirror plan --out, and review that)"
}

// Options say what is not compared.
type Options struct {
	// Unwatched is set for a publish that does not look at the origins, so that it waits for none.
	Unwatched bool
}

// Compare returns a *ChangedError unless now, which was made from the site, the config and the targets as
// they are, is the plan that was reviewed. Targets of now that failed are not compared: they have an error
// of their own.
func Compare(reviewed, now reports.Plan, o Options) error {
	c := comparison{reviewed: reviewed, now: now}
	c.config()
	c.site()
	c.targets()
	if len(c.found) == 0 { // another order is a consequence of the other differences
		c.order(o)
	}
	switch more := len(c.found) - maxDifferences; {
	case len(c.found) == 0:
		return nil
	case more > 0:
		c.found = append(c.found[:maxDifferences], fmt.Sprintf("… and %d more", more))
	}
	return &ChangedError{c.found}
}

// comparison collects the differences.
type comparison struct {
	reviewed, now reports.Plan
	found         []string
}

func (c *comparison) add(format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

func (c *comparison) config() {
	if c.reviewed.Config != c.now.Config {
		c.add("config: it is not the one that the plan was made with (SHA-256 %s then, %s now)", digits(c.reviewed.Config), digits(c.now.Config))
	}
}

func (c *comparison) site() {
	if c.reviewed.Release != c.now.Release {
		c.add("site: release %s was planned, the site is now %s", digits(string(c.reviewed.Release)), c.now.Release.Short())
	}
	var changed []string
	for _, path := range slices.Sorted(maps.Keys(c.reviewed.Content)) {
		if now, ok := c.now.Content[path]; ok && now != c.reviewed.Content[path] {
			changed = append(changed, fmt.Sprintf("site: %s has other content than was planned", quoted(path)))
		}
	}
	c.list(changed)
}

// list adds the first of many differences.
func (c *comparison) list(all []string) {
	c.found = append(c.found, all[:min(len(all), maxListed)]...)
	if more := len(all) - maxListed; more > 0 {
		c.add("… and %d more", more)
	}
}

// targets compares the targets by their names.
func (c *comparison) targets() {
	reviewed := map[string]reports.PlanTarget{}
	for _, t := range c.reviewed.Targets {
		if _, twice := reviewed[t.Name]; twice {
			c.add("%s: the plan has it twice", name(t.Name))
		}
		reviewed[t.Name] = t
	}
	var added []reports.PlanTarget
	for _, t := range c.now.Targets {
		planned, ok := reviewed[t.Name]
		delete(reviewed, t.Name)
		switch {
		case !ok:
			added = append(added, t)
		case t.Error == "" || t.Planned():
			c.target(planned, t)
		}
	}
	c.renamed(slices.SortedFunc(maps.Values(reviewed), func(a, b reports.PlanTarget) int { return cmp.Compare(a.Name, b.Name) }), added)
}

// renamed names the targets that only one of the plans has.
func (c *comparison) renamed(removed, added []reports.PlanTarget) {
	var gone []string
	for _, t := range removed {
		i := slices.IndexFunc(added, func(a reports.PlanTarget) bool { return a.Place != "" && a.Place == t.Place })
		if i < 0 {
			gone = append(gone, fmt.Sprintf("%s: it was planned, and the publish does not include it (was it removed from the config, or left out by --target?)", name(t.Name)))
			continue
		}
		c.add("%s: the same place was called %s in the plan", name(added[i].Name), name(t.Name))
		added = slices.Delete(added, i, i+1)
	}
	c.list(gone)
	for _, t := range added {
		c.add("%s: the plan does not include it (was it added to the config, or left out of the plan by --target?)", name(t.Name))
	}
}

// target compares what was planned for a target with what a publish would do to it now.
func (c *comparison) target(planned, now reports.PlanTarget) {
	at := name(now.Name)
	if planned.Type != now.Type {
		c.add("%s: its type was %s, and is now %s", at, quoted(planned.Type), now.Type)
	}
	if planned.Place != now.Place {
		c.add("%s: it writes to another place than was planned", at)
	}
	switch {
	case planned.From != now.From:
		c.add("%s: release %s was live when the plan was made, %s is live now", at, digits(string(planned.From)), now.From.Short())
	case planned.Revision != now.Revision:
		c.add("%s: what is live was changed since the plan was made, though it is still release %s (another publisher, or a change made by hand)", at, now.From.Short())
	}
	then, today := marks(planned), marks(now)
	var changed []string
	for _, path := range slices.Sorted(maps.Keys(union(then, today))) {
		if then[path] != today[path] {
			changed = append(changed, fmt.Sprintf("%s: %s: planned: %s, now: %s", at, quoted(path), cmp.Or(short(then[path]), "no change"), cmp.Or(short(today[path]), "no change")))
		}
	}
	c.list(changed)
}

// order compares the order of the commits. The times between them are measurements.
func (c *comparison) order(o Options) {
	steps := func(p reports.Plan) (all []string) {
		for _, s := range p.Order {
			text := name(s.Name)
			if s.Barrier && !o.Unwatched {
				text += " behind the barrier"
			}
			all = append(all, text)
		}
		return all
	}
	then, now := steps(c.reviewed), steps(c.now)
	if !slices.Equal(then, now) {
		c.add("order: planned: %s; now: %s", short(strings.Join(then, ", ")), short(strings.Join(now, ", ")))
	}
}

// marks says for each path that changes what happens to it.
func marks(t reports.PlanTarget) map[string]string {
	all := map[string]string{}
	mark := func(paths []string, what string) {
		for _, p := range paths {
			p = valid(p)
			all[p] = strings.TrimPrefix(all[p]+", "+what, ", ")
		}
	}
	mark(t.Add, "add")
	mark(t.Change, "change")
	mark(t.Delete, "delete")
	mark(t.Foreign, "not from a publish")
	for _, m := range t.Metadata {
		mark([]string{m.Path}, valid("only metadata "+m.Detail))
	}
	return all
}

// valid returns a text as JSON keeps it: each byte that is not UTF-8 is replaced.
func valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// digits shows the beginning of an ID that a file gives.
func digits(id string) string {
	if id == "" {
		return "none"
	}
	return short(id[:min(len(id), 12)])
}

// name shows the name of a target, which a file may give.
func name(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == utf8.RuneError || reports.Hidden(r) }) || text == "" {
		return quoted(text)
	}
	return short(text)
}
