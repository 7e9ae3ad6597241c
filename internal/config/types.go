package config

import (
	"net/url"
	"regexp"
	"time"

	"mirror/targets"
)

// Config is a whole mirror.yaml. The doc comments in this file are also the descriptions
// in the JSON Schema, and the jsonschema tags are the rules that both go by.
type Config struct {
	// Version of the file's format.
	Version int `yaml:"version" jsonschema:"required,enum=1"`
	// Site is what is published.
	Site Site `yaml:"site" jsonschema:"required"`
	// Targets are the places to publish to, each with the origin that serves it.
	Targets []Target `yaml:"targets" jsonschema:"required,minItems=1"`
	// Publish says how a release goes out.
	Publish Publish `yaml:"publish"`
	// Check says how the live origins are read.
	Check Check `yaml:"check"`
	// Schedule is what the daemon runs by itself.
	Schedule []Job `yaml:"schedule"`
	// Notify says who is told of drift.
	Notify []Notify `yaml:"notify"`
	// Daemon says how the daemon listens and for how long it remembers.
	Daemon Daemon `yaml:"daemon"`

	// File is the path that the config was read from.
	File string `yaml:"-"`
	// Secrets are the values of the config that must never be shown.
	Secrets []Secret `yaml:"-"`
}

// CheckFor returns the check's settings for one origin, with the origin's own in their place.
func (c *Config) CheckFor(o Origin) Check {
	check := c.Check
	if o.Concurrency != nil {
		check.Concurrency = *o.Concurrency
	}
	if o.Rate != nil {
		check.Rate = *o.Rate
	}
	return check
}

// KeptPaths are the globs of the paths that no publish deletes: those are not ours.
func (c *Config) KeptPaths() []string { return c.Publish.Keep }

// Site is the folder of files that is published.
type Site struct {
	// Dir is the folder with the generated site, relative to the config's own folder.
	Dir string `yaml:"dir" jsonschema:"required,format=path"`
	// Build is the command that generates the site, run by publish --build and the daemon only.
	Build string `yaml:"build"`
	// Exclude holds doublestar globs of files that are left out. .git always is.
	Exclude []string `yaml:"exclude" jsonschema:"format=glob"`
	// NotFound is the page that origins are to answer with for a path that does not exist.
	// Without it, or where the site has no such file, only the answer's status counts.
	NotFound string `yaml:"not_found" jsonschema:"format=page"`
	// Beacon is the URL path at which each origin tells its release. "" turns it off.
	Beacon string `yaml:"beacon" jsonschema:"default=/.well-known/mirror.json,format=beacon"`
}

// Target is a place to publish to. Its other keys belong to its type.
type Target struct {
	// Name tells this target from the others, in reports and in --target.
	Name string `yaml:"name" jsonschema:"required,format=name"`
	// Type is the kind of place.
	Type string `yaml:"type" jsonschema:"required"`
	// Origin is where visitors read what this target holds.
	Origin Origin `yaml:"origin"`

	// Decode fills in the config struct (by its yaml and jsonschema tags) of the target's
	// own kind with the target's other keys, as strictly as the rest of the file is read.
	Decode func(config any) error `yaml:"-"`
	wrong  targets.Wrong          // notes an error while the config is read
}

// Origin is a live site and its manners.
type Origin struct {
	// URL is the site's base, nil where the target names no origin. Its path ends in a slash.
	URL *url.URL `yaml:"url" jsonschema:"required"`
	// CleanURLs says that about.html is served at /about.
	CleanURLs bool `yaml:"clean_urls" jsonschema:"default=false"`
	// Index says that a folder's URL serves its index.html. It is true unless set.
	Index *bool `yaml:"index" jsonschema:"default=true"`
	// CDN says that a cache stands before the origin, so that a new release shows late.
	CDN bool `yaml:"cdn" jsonschema:"default=false"`
	// Address is where the URL's host is connected to, as curl --resolve does: an IP address or a
	// host name, with or without a port. It looks at one of several hosts that serve the same
	// name. No proxy is used then.
	Address string `yaml:"address" jsonschema:"format=host"`
	// Concurrency is how many requests this origin gets at once, in place of check.concurrency.
	Concurrency *int `yaml:"concurrency" jsonschema:"minimum=1,maximum=1024"`
	// Rate is how many requests a second this origin gets, in place of check.rate.
	Rate *float64 `yaml:"rate" jsonschema:"minimum=0"`
}

// ServesIndex reports whether the origin serves a folder's index.html at its URL.
func (o Origin) ServesIndex() bool { return o.Index == nil || *o.Index }

// Publish says how a release goes out.
type Publish struct {
	// Order is the order of commits: auto (slow origins first), parallel, or a list of all
	// targets' names.
	Order Order `yaml:"order" jsonschema:"default=auto"`
	// MaxDelete is how much of a live site one publish may delete: a share (50%) or a count.
	MaxDelete Limit `yaml:"max_delete" jsonschema:"default=50%"`
	// VerifyTimeout is how long the live origins may take to agree, from the first commit on. All
	// that a publish waits for meanwhile is bounded by it, the barrier included.
	VerifyTimeout time.Duration `yaml:"verify_timeout" jsonschema:"default=5m"`
	// Keep holds doublestar globs of paths that are not the site's, such as uploads/**: they are
	// never deleted and never reported as extra. A folder's name stands for all that is in it.
	// The site's own files are published whatever these say.
	Keep []string `yaml:"keep" jsonschema:"format=keep"`
	// KeepReleases is how many releases stay on a target for rollback, the live one among
	// them. The live one and the one before it always stay.
	KeepReleases int `yaml:"keep_releases" jsonschema:"default=3,minimum=1"`
	// Barrier is how long the fast origins wait for the slow ones to be seen live, within
	// VerifyTimeout. 0 turns it off.
	Barrier time.Duration `yaml:"barrier" jsonschema:"default=2m"`
	// OnLate says what happens when a slow origin is not seen live within the barrier.
	OnLate string `yaml:"on_late" jsonschema:"default=continue,enum=continue,enum=rollback"`
}

// Check says how the live origins are read.
type Check struct {
	// Concurrency is how many requests an origin gets at once.
	Concurrency int `yaml:"concurrency" jsonschema:"default=16,minimum=1,maximum=1024"`
	// Rate is how many requests a second an origin gets. 0 is no limit.
	Rate float64 `yaml:"rate" jsonschema:"default=200,minimum=0"`
	// Timeout is how long one page may take.
	Timeout time.Duration `yaml:"timeout" jsonschema:"default=10s"`
	// Confirm is how often a page that differs is fetched again, on a fresh connection,
	// before it counts.
	Confirm int `yaml:"confirm" jsonschema:"default=1,minimum=0,maximum=10"`
	// Headers are the response headers that the origins must agree on.
	Headers []string `yaml:"headers" jsonschema:"default=content-type,format=header"`
	// Normalize takes out of pages what may differ.
	Normalize []Normalize `yaml:"normalize"`
	// Ignore holds doublestar globs of pages that are not compared.
	Ignore []string `yaml:"ignore" jsonschema:"format=glob"`
}

// Normalize takes out of some pages what may differ between origins.
type Normalize struct {
	// Match is the doublestar glob of the pages.
	Match string `yaml:"match" jsonschema:"required,format=glob"`
	// Remove holds the regular expressions (RE2) of the text to take out.
	Remove []*regexp.Regexp `yaml:"remove" jsonschema:"required,minItems=1"`
}

// Job is something that the daemon runs by itself.
type Job struct {
	// Name tells this job from the others.
	Name string `yaml:"name" jsonschema:"required,format=name"`
	// Cron is when: five fields or @hourly, "@every 10m" and the like, UTC unless it begins
	// with CRON_TZ=.
	Cron string `yaml:"cron" jsonschema:"required,format=cron"`
	// Run is what.
	Run string `yaml:"run" jsonschema:"required,enum=check,enum=publish,enum=report,enum=prune"`
	// Timeout is how long one run may take. 0s is no limit.
	Timeout time.Duration `yaml:"timeout" jsonschema:"default=1h"`
	// Jitter is by how much a run may be put off at random, so that not all begin at once.
	Jitter time.Duration `yaml:"jitter" jsonschema:"default=0s"`
	// CatchUp says that runs missed while the machine was off are made up for, by one.
	CatchUp bool `yaml:"catch_up" jsonschema:"default=true"`
	// Watch says that a change in the site's folder runs the job too. It is for publish.
	Watch bool `yaml:"watch" jsonschema:"default=false"`
	// Build says that site.build is run first, if there is one. It is for publish; what a
	// change in the site's folder runs is never built.
	Build bool `yaml:"build" jsonschema:"default=true"`
}

// Notify is a place to tell of what the daemon sees.
type Notify struct {
	// Name tells this place from the others, in logs and for what it was told already.
	Name string `yaml:"name" jsonschema:"format=name"`
	// URL is a webhook (https://…), or names a service as shoutrrr does. Take its secrets from
	// the environment: ${NAME}.
	URL string `yaml:"url" jsonschema:"required,format=service"`
	// On lists what to tell: everything unless given.
	On []string `yaml:"on" jsonschema:"enum=drift,enum=recovered,enum=unreachable,enum=publish_failed,enum=window,enum=certificate,enum=overdue,enum=test"`
	// SecretEnv names the environment variable with the secret that signs what a webhook gets.
	SecretEnv string `yaml:"secret_env"`
	// Quiet is when nothing is told, by the clock of a place: 22:00-07:00 Europe/Berlin. What
	// happens then is told in one message afterwards.
	Quiet string `yaml:"quiet" jsonschema:"format=quiet"`
	// Urgent lists what is told in the quiet time too.
	Urgent []string `yaml:"urgent" jsonschema:"enum=drift,enum=recovered,enum=unreachable,enum=publish_failed,enum=window,enum=certificate,enum=overdue,enum=test"`
}

// Daemon says how the daemon listens and for how long it remembers.
type Daemon struct {
	// Listen is the address of the dashboard, /metrics and the API. Beyond this machine it
	// needs token_env, or daemon --allow-remote.
	Listen string `yaml:"listen" jsonschema:"default=127.0.0.1:8700,format=address"`
	// TokenEnv names the environment variable with the token that starts a check or a
	// publish through the API. Without it nothing can be started there.
	TokenEnv string `yaml:"token_env"`
	// URL is where people reach the dashboard, for the links in what is told.
	URL *url.URL `yaml:"url"`
	// Hosts are the names under which browsers reach the dashboard, beside the URL's,
	// localhost and plain addresses.
	Hosts []string `yaml:"hosts" jsonschema:"format=name"`
	// WindowLimit is for how long a publish may leave the origins different before that is
	// told as an alert of its own. 0s is for ever.
	WindowLimit time.Duration `yaml:"window_limit" jsonschema:"default=0s"`
	// KeepDays is for how many days checks, episodes and publishes are remembered.
	KeepDays int `yaml:"keep_days" jsonschema:"default=365,minimum=1"`
	// MaxSizeMB is how large the history may be, in megabytes: the oldest checks go first.
	MaxSizeMB int `yaml:"max_size_mb" jsonschema:"default=200,minimum=10"`
	// KeepReports is how many reports of each report job are kept.
	KeepReports int `yaml:"keep_reports" jsonschema:"default=30,minimum=1"`
}
