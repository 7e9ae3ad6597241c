package config

import (
	"net/url"
	"regexp"
	"time"

	"mirror/internal/purge"
	"mirror/targets"
	"mirror/targets/grace"
)

// Config is a whole mirror.yaml. The doc comments in this file are also the descriptions
// in the JSON Schema, and the jsonschema tags are the rules that both go by.
type Config struct {
	// Version is the version of the file's format.
	Version int `yaml:"version" jsonschema:"required,enum=1" example:"1"`
	// Site is what is published.
	Site Site `yaml:"site" jsonschema:"required"`
	// Targets are the places to publish to, each with the origin that serves it.
	Targets []Target `yaml:"targets" jsonschema:"required,minItems=1"`
	// Origins are live sites that build the site themselves: they are watched and compared with the
	// release, and never published to.
	Origins []OwnOrigin `yaml:"origins"`
	// Publish is how a release goes out.
	Publish Publish `yaml:"publish"`
	// Check is how the live origins are read and compared.
	Check Check `yaml:"check"`
	// Schedule is what the daemon runs by itself.
	Schedule []Job `yaml:"schedule"`
	// Notify lists the places that are notified of what the daemon sees.
	Notify []Notify `yaml:"notify"`
	// Hooks are commands that are run when something has ended.
	Hooks Hooks `yaml:"hooks"`
	// Daemon is how the daemon listens, and for how long it keeps its history.
	Daemon Daemon `yaml:"daemon"`
	// Front is the reverse proxy over the origins (mirror front).
	Front Front `yaml:"front"`

	// Vantages is how agents on other machines look at the origins too: mirror agent.
	Vantages Vantages `yaml:"vantages"`

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

// GracePolicy says which files of earlier releases stay served, nil for none.
func (c *Config) GracePolicy() *grace.Policy {
	g := c.Publish.Grace
	p := &grace.Policy{Releases: g.Releases, For: g.For, Match: g.Match.Globs, All: g.Match.Mode == GraceAll}
	if !p.On() {
		return nil
	}
	return p
}

// Site is the folder of files that is published.
type Site struct {
	// Dir is the folder with the generated site, relative to the config's own folder.
	Dir string `yaml:"dir" jsonschema:"required,format=path" example:"./public"`
	// Build is the command that generates the site, run by publish --build and by the daemon only. It is a line
	// for the shell: sh, or cmd.exe on Windows.
	Build string `yaml:"build" example:"hexo generate"`
	// Exclude lists globs of files that are not published. .git never is.
	Exclude []string `yaml:"exclude" jsonschema:"format=glob" example:"[\"**/.DS_Store\", \"drafts/**\"]"`
	// NotFound is the page with which origins must answer for a path that does not exist. Without it, or
	// where the site has no such file, only the status of that answer counts.
	NotFound string `yaml:"not_found" jsonschema:"format=page" example:"404.html"`
	// Redirects lists paths of the site that lead to another place. Each becomes a small page that sends browsers
	// on, which every kind of target can hold.
	Redirects []Redirect `yaml:"redirects"`
	// RedirectsFile is a file of the site with more of them, as Netlify and Cloudflare Pages read it; "" for none.
	RedirectsFile string `yaml:"redirects_file" jsonschema:"format=page" example:"_redirects"`
	// Beacon is the URL path of a small JSON file that names the release of each origin. "" turns it off.
	Beacon string `yaml:"beacon" jsonschema:"default=/.well-known/mirror.json,format=beacon" example:"/.well-known/mirror.json"`
	// PublishManifest is whether targets publish the list of a release's files, with their digests, beside it at
	// /.well-known/mirror/ID.sums, and mirror front serves it: fronts with trust: quorum on other machines read it.
	// It names every path of the site. It is no part of the release.
	PublishManifest bool `yaml:"publish_manifest" jsonschema:"default=false" example:"true"`
}

// Redirect is a path of the site that leads to another place.
type Redirect struct {
	// From is the path, which no file of the site may have.
	From string `yaml:"from" jsonschema:"required" example:"/old/"`
	// To is a path of the site or the URL of another one.
	To string `yaml:"to" jsonschema:"required" example:"/new/"`
	// Status is that of the redirect. It decides whether search engines take the new address.
	Status int `yaml:"status" jsonschema:"default=301,enum=301,enum=302,enum=303,enum=307,enum=308" example:"301"`
}

// Target is a place to publish to. Its other keys belong to its type.
type Target struct {
	// Name tells this target from the others, in reports and in --target.
	Name string `yaml:"name" jsonschema:"required,format=name" example:"pages"`
	// Type is the kind of place.
	Type string `yaml:"type" jsonschema:"required" example:"git"`
	// Origin is where visitors read what this target holds.
	Origin Origin `yaml:"origin"`

	// Decode fills in the config struct (by its yaml and jsonschema tags) of the target's
	// own kind with the target's other keys, as strictly as the rest of the file is read.
	Decode func(config any) error `yaml:"-"`
	wrong  targets.Wrong          // notes an error while the config is read
}

// Origin is a live site and its manners.
type Origin struct {
	// URL is the URL of the site's root.
	URL *url.URL `yaml:"url" jsonschema:"required" example:"https://blog.example.com/"`
	// CleanURLs is whether about.html is served at /about.
	CleanURLs bool `yaml:"clean_urls" jsonschema:"default=false" example:"true"`
	// Index is whether the URL of a folder serves its index.html.
	Index *bool `yaml:"index" jsonschema:"default=true" example:"false"`
	// CDN is whether caches stand before the origin, so that a new release is seen late, or the name of their provider: akamai,
	// bunny, cloudflare, cloudfront, fastly, github-pages, netlify, nginx, squid or varnish. See docs/caches.md.
	CDN CDN `yaml:"cdn" jsonschema:"default=false" example:"cloudflare"`
	// Purge lists the caches before the origin, that next to the origin first. A publish removes from them what it
	// changes. An origin with one has cdn: true.
	Purge []purge.Config `yaml:"purge" example:"[{type: varnish, url: \"http://127.0.0.1:6081\"}]"`
	// Address is where the URL's host is connected to, as curl --resolve does: an IP address or a
	// host name, with or without a port. It looks at one of several hosts that serve the same
	// name. No proxy is used then.
	Address string `yaml:"address" jsonschema:"format=host" example:"203.0.113.7"`
	// Concurrency is how many requests this origin gets at once; check.concurrency where it is not set.
	Concurrency *int `yaml:"concurrency" jsonschema:"minimum=1,maximum=1024" example:"4"`
	// Rate is how many requests a second this origin gets; check.rate where it is not set.
	Rate *float64 `yaml:"rate" jsonschema:"minimum=0" example:"20"`
}

// OwnOrigin is a live site that no target holds.
type OwnOrigin struct {
	// Name tells this origin from the targets and from the other origins, in reports and in --target.
	Name   string `yaml:"name" jsonschema:"required,format=name" example:"self-built"`
	Origin `yaml:",inline"`
	// Front is whether this is a mirror front over the other origins: publish watches it and check compares
	// it, and no front takes pages from it.
	Front bool `yaml:"front" jsonschema:"default=false" example:"false"`
}

// ServesIndex reports whether the origin serves a folder's index.html at its URL.
func (o Origin) ServesIndex() bool { return o.Index == nil || *o.Index }

// Publish says how a release goes out.
type Publish struct {
	// Order is the order of commits: auto (slow origins first), parallel, or a list of all
	// targets' names.
	Order Order `yaml:"order" jsonschema:"default=auto" example:"auto"`
	// MaxDelete is how much of a live site one publish may delete: a share (50%) or a count.
	MaxDelete Limit `yaml:"max_delete" jsonschema:"default=50%" example:"50%"`
	// VerifyTimeout is how long the live origins may take to agree, from the first commit on. It
	// bounds everything that a publish waits for in that time, the barrier included.
	VerifyTimeout time.Duration `yaml:"verify_timeout" jsonschema:"default=5m" example:"5m"`
	// Keep lists globs of paths that do not belong to the site, such as uploads/**: they are never
	// deleted and never reported as extra. The name of a folder stands for all that is in it. Files of
	// the site that a glob matches are published all the same.
	Keep []string `yaml:"keep" jsonschema:"format=keep" example:"[\"uploads/**\"]"`
	// KeepReleases is how many releases stay on a target for rollback, the live one among
	// them. The live one and the one before it always stay.
	KeepReleases int `yaml:"keep_releases" jsonschema:"default=3,minimum=1" example:"3"`
	// Grace is which files of earlier releases stay served for a while, so that pages that are still open
	// find the scripts, styles and pictures that they name. It is off by default.
	Grace Grace `yaml:"grace"`
	// StagedFor is how long a release that publish --stage-only staged stays on the targets, at most 2160h
	// (90 days), unless it goes live before.
	StagedFor time.Duration `yaml:"staged_for" jsonschema:"default=168h" example:"168h"`
	// Barrier is how long the fast origins wait for the slow ones to be seen live, within
	// VerifyTimeout. 0 turns it off.
	Barrier time.Duration `yaml:"barrier" jsonschema:"default=2m" example:"2m"`
	// OnLate is what happens when a slow origin is not seen live within the barrier.
	OnLate string `yaml:"on_late" jsonschema:"default=continue,enum=continue,enum=rollback" example:"continue"`
}

// Grace says which files of earlier releases stay served.
type Grace struct {
	// Releases is for how many releases a file stays that is not in the site any more: 1 keeps those of the
	// release before the live one.
	Releases int `yaml:"releases" jsonschema:"default=0,minimum=0,maximum=100" example:"1"`
	// For is how long a file stays after it left the site. Where releases is set too, a file stays while
	// either lets it stay.
	For time.Duration `yaml:"for" jsonschema:"default=0s" example:"24h"`
	// Match says which files stay: hashed (names with a content hash, of scripts, styles, pictures and
	// fonts), all (every file but pages), or a list of globs.
	Match GraceMatch `yaml:"match" jsonschema:"default=hashed" example:"hashed"`
}

// Check says how the live origins are read.
type Check struct {
	// Concurrency is how many requests an origin gets at once.
	Concurrency int `yaml:"concurrency" jsonschema:"default=16,minimum=1,maximum=1024" example:"16"`
	// Rate is how many requests a second an origin gets. 0 is no limit.
	Rate float64 `yaml:"rate" jsonschema:"default=200,minimum=0" example:"200"`
	// Timeout is how long one page may take.
	Timeout time.Duration `yaml:"timeout" jsonschema:"default=10s" example:"10s"`
	// Confirm is how often a page that differs is fetched again, on a new connection, before it counts
	// as different.
	Confirm int `yaml:"confirm" jsonschema:"default=1,minimum=0,maximum=10" example:"1"`
	// Headers are the names of the response headers on which the origins must agree.
	Headers []string `yaml:"headers" jsonschema:"default=content-type,format=header" example:"[content-type, cache-control]"`
	// Normalize lists texts that are removed from pages before they are compared.
	Normalize []Normalize `yaml:"normalize"`
	// Ignore lists globs of pages that are not compared.
	Ignore []string `yaml:"ignore" jsonschema:"format=glob" example:"[\"feed.xml\"]"`
}

// Normalize takes out of some pages what may differ between origins.
type Normalize struct {
	// Match is the glob of the pages.
	Match string `yaml:"match" jsonschema:"required,format=glob" example:"\"**/*.html\""`
	// Remove lists regular expressions (RE2) of the text to remove.
	Remove []*regexp.Regexp `yaml:"remove" jsonschema:"required,minItems=1" example:"[\"<!-- rendered at .*? -->\"]"`
}

// Job is something that the daemon runs by itself.
type Job struct {
	// Name tells this job from the others.
	Name string `yaml:"name" jsonschema:"required,format=name" example:"drift"`
	// Cron is when the job runs: five fields (minute, hour, day of month, month, day of week), @hourly and
	// the like, "@every 10m", or "@at 2026-12-24T18:00:00+01:00" for one time. Times are UTC unless it begins
	// with CRON_TZ= and a time zone.
	Cron string `yaml:"cron" jsonschema:"required,format=cron" example:"\"CRON_TZ=Europe/Berlin */15 * * * *\""`
	// Run is what the job does.
	Run string `yaml:"run" jsonschema:"required,enum=check,enum=publish,enum=report,enum=prune" example:"publish"`
	// Release is a release that publish --stage-only staged and that the job makes live in place of the
	// site: its ID, or at least the first 12 digits of it. It is for run: publish; the site is not built.
	Release string `yaml:"release" jsonschema:"format=release" example:"91b04bd640a3"`
	// Timeout is how long one run may take. 0s is no limit.
	Timeout time.Duration `yaml:"timeout" jsonschema:"default=1h" example:"30m"`
	// Jitter is the longest random delay of a run, so that several machines do not begin at once.
	Jitter time.Duration `yaml:"jitter" jsonschema:"default=0s" example:"10s"`
	// CatchUp is whether one run makes up for those that were missed while the machine was off.
	CatchUp bool `yaml:"catch_up" jsonschema:"default=true" example:"true"`
	// Watch is whether a change in the site's folder runs the job too. It is for run: publish only.
	Watch bool `yaml:"watch" jsonschema:"default=false" example:"false"`
	// Build is whether site.build, if there is one, is run first. It is for run: publish; a run that a
	// change in the site's folder has started never builds.
	Build bool `yaml:"build" jsonschema:"default=true" example:"true"`
}

// Notify is a place to tell of what the daemon sees.
type Notify struct {
	// Name tells this place from the others, in logs and in the record of what it got.
	Name string `yaml:"name" jsonschema:"format=name" example:"on-call"`
	// URL is that of a webhook (https://…), or that of a service in the form of shoutrrr, such as
	// slack://… or ntfy://…. Secrets in it must come from the environment: ${NAME}.
	URL string `yaml:"url" jsonschema:"required,format=service" example:"\"https://hooks.example.com/${HOOK_TOKEN}\""`
	// On lists the events to notify of; all where it is empty.
	On []string `yaml:"on" jsonschema:"enum=drift,enum=recovered,enum=unreachable,enum=publish_failed,enum=window,enum=certificate,enum=overdue,enum=test" example:"[drift, recovered, unreachable]"`
	// SecretEnv names the environment variable with the secret that signs the requests to a webhook.
	SecretEnv string `yaml:"secret_env" example:"HOOK_SECRET"`
	// Quiet is the time of day in which nothing is sent, in a time zone: 22:00-07:00 Europe/Berlin. The
	// events of that time are sent in one message at its end.
	Quiet string `yaml:"quiet" jsonschema:"format=quiet" example:"22:00-07:00 Europe/Berlin"`
	// Urgent lists the events that are sent in the quiet time too.
	Urgent []string `yaml:"urgent" jsonschema:"enum=drift,enum=recovered,enum=unreachable,enum=publish_failed,enum=window,enum=certificate,enum=overdue,enum=test" example:"[unreachable, publish_failed]"`
}

// Daemon says how the daemon listens and for how long it remembers.
type Daemon struct {
	// Listen is the address of the dashboard, /metrics and the API. Beyond this machine it
	// needs token_env, or daemon --allow-remote.
	Listen string `yaml:"listen" jsonschema:"default=127.0.0.1:8700,format=address" example:"127.0.0.1:8700"`
	// TokenEnv names the environment variable with the token that starts a check, a rollback or a
	// publish through the API. Without it nothing can be started there.
	TokenEnv string `yaml:"token_env" example:"MIRROR_TOKEN"`
	// URL is the URL of the dashboard for people; it is used in the links of notifications.
	URL *url.URL `yaml:"url" example:"https://status.example.com/"`
	// Hosts are the names under which browsers reach the dashboard, beside the URL's,
	// localhost and plain addresses.
	Hosts []string `yaml:"hosts" jsonschema:"format=name" example:"[status.internal]"`
	// WindowLimit is how long the origins may differ during a publish before an alert is sent. 0s is
	// no limit.
	WindowLimit time.Duration `yaml:"window_limit" jsonschema:"default=0s" example:"1m"`
	// KeepDays is for how many days checks, episodes and publishes are kept.
	KeepDays int `yaml:"keep_days" jsonschema:"default=365,minimum=1" example:"365"`
	// MaxSizeMB is how large the history may be, in megabytes. The oldest checks are removed first.
	MaxSizeMB int `yaml:"max_size_mb" jsonschema:"default=200,minimum=10" example:"200"`
	// KeepReports is how many reports of each report job are kept.
	KeepReports int `yaml:"keep_reports" jsonschema:"default=30,minimum=1" example:"30"`
}

// Front says what the reverse proxy over the origins trusts, and how it serves.
type Front struct {
	// Listen is the address on which visitors are served.
	Listen string `yaml:"listen" jsonschema:"default=:8080,format=address" example:"\":8080\""`
	// Trust is where the list of a release's files comes from: the history of this machine, the targets, or
	// the origins themselves (quorum), which needs site.publish_manifest and a quorum of two at least.
	Trust string `yaml:"trust" jsonschema:"default=history,enum=history,enum=targets,enum=quorum" example:"history"`
	// Quorum is how many origins must hold a release before visitors get it.
	Quorum int `yaml:"quorum" jsonschema:"default=2,minimum=1" example:"2"`
	// Cache is how much of what was served is kept on disk, as a number and a unit: 500MB, 1GiB. 0 keeps
	// nothing there.
	Cache Size `yaml:"cache" jsonschema:"default=1GiB" example:"1GiB"`
	// MaxVerified is the size of the largest file that is verified whole before its first byte is sent. A
	// larger one is sent while it is compared, and cut at a mismatch, if browsers do not run its type (video,
	// audio, archives); others are not served.
	MaxVerified Size `yaml:"max_verified" jsonschema:"default=256MiB" example:"256MiB"`
	// TokenEnv names the environment variable with the token for the status page /-/front and its metrics.
	// Without it they are for requests from this machine alone.
	TokenEnv string `yaml:"token_env" example:"FRONT_TOKEN"`
	// HintKeyEnv names the environment variable with the key by which a publish signs a hint to each origin with front:
	// true, and by which a front knows it: then it looks at the beacons every 50 ms. 16 bytes at least.
	HintKeyEnv string `yaml:"hint_key_env" example:"FRONT_HINT_KEY"`
	// AccessLog is the file to which a line is written for each request; - stands for stderr.
	AccessLog string `yaml:"access_log" example:"/var/log/mirror/access.log"`
	// AccessLogFormat is that of the lines.
	AccessLogFormat string `yaml:"access_log_format" jsonschema:"default=common,enum=common,enum=json" example:"json"`
	// Cookie has browsers remember for a minute which release they have seen, so that a visitor whom a load
	// balancer sends to another front is not thrown back to the release before.
	Cookie bool `yaml:"cookie" jsonschema:"default=false" example:"false"`
	// TLS serves visitors by https.
	TLS FrontTLS `yaml:"tls"`
}

// Hooks are commands of the user's own.
type Hooks struct {
	// AfterPublish is a command and its arguments, run in the folder of the config when the outcome of a publish or a rollback
	// is known. docs/purge.md lists the environment variables that it gets. If it fails, that is a warning.
	AfterPublish []string `yaml:"after_publish" example:"[\"./notify-search.sh\", \"--quiet\"]"`
	// Timeout is how long the command may take.
	Timeout time.Duration `yaml:"timeout" jsonschema:"default=1m" example:"30s"`
}

// FrontTLS is the certificate of a front. It is read again when its files change.
type FrontTLS struct {
	// Cert is the file with the certificate and those of its issuers, in PEM.
	Cert string `yaml:"cert" jsonschema:"format=path" example:"/etc/mirror/tls/fullchain.pem"`
	// Key is the file with the private key, in PEM.
	Key string `yaml:"key" jsonschema:"format=path" example:"/etc/mirror/tls/privkey.pem"`
	// HSTS is for how long browsers that have seen the site use https alone. 0s says nothing of it.
	HSTS time.Duration `yaml:"hsts" jsonschema:"default=0s" example:"4320h"`
	// Redirect is the address on which plain http leads to https.
	Redirect string `yaml:"redirect" jsonschema:"format=address" example:"\":80\""`
	// ACME gets the certificates from an authority. Cert and key, where they are there too, serve while and where that
	// has given none.
	ACME FrontACME `yaml:"acme"`
}

// FrontACME says which certificates a front gets by ACME. With it you accept the authority's terms of service.
type FrontACME struct {
	// Names are the host names of the site. Each gets a certificate.
	Names []string `yaml:"names" example:"[blog.example.com]"`
	// Email is the address that the authority writes to.
	Email string `yaml:"email" example:"me@example.com"`
	// Directory is the URL of the authority.
	Directory string `yaml:"directory" jsonschema:"default=https://acme-v02.api.letsencrypt.org/directory" example:"https://acme-v02.api.letsencrypt.org/directory"`
}
