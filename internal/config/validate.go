package config

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"mirror/internal/config/strictyaml"
	"mirror/internal/redirects"
)

// validate notes what no single value shows: names given twice and combinations that cannot be.
func validate(d *strictyaml.Decoder, c *Config) {
	var names []string
	for i := range c.Targets {
		names = unique(d, names, &c.Targets[i].Name, "target")
	}
	origins := slices.Clone(names)
	for i := range c.Origins {
		origins = unique(d, origins, &c.Origins[i].Name, "target or origin")
	}
	if at := d.Place(&c.Site.Beacon); at != nil && c.Site.Beacon != "" && c.Site.Beacon == "/"+c.Site.NotFound {
		d.Errorf(at, "beacon: %s is the page not_found (hint: /.well-known/mirror.json)", d.Describe(at))
	}
	validateRedirects(d, c.Site.Redirects)
	validateOrder(d, &c.Publish, names)
	validateGrace(d, &c.Publish)
	validateJobs(d, c.Schedule)
	validateNotify(d, c.Notify)
	validateFront(d, c)
	validatePositive(d, "verify_timeout", &c.Publish.VerifyTimeout)
	validateStagedFor(d, &c.Publish.StagedFor)
	validatePositive(d, "timeout", &c.Check.Timeout)
	validatePositive(d, "timeout", &c.Hooks.Timeout)
	if len(c.Hooks.AfterPublish) > 0 && c.Hooks.AfterPublish[0] == "" {
		d.Errorf(d.Place(&c.Hooks.AfterPublish[0]), "after_publish: the command is empty")
	}
	for i := range c.Targets {
		validatePurge(d, c.Targets[i].Origin.Purge)
	}
	for i := range c.Origins {
		validatePurge(d, c.Origins[i].Purge)
	}
	validatePositive(d, "timeout", &c.Vantages.Timeout)
	if v := &c.Vantages; v.Group != "" && v.NATS == "" {
		d.Errorf(d.Place(&v.Group), "group: the daemons of a group need a server that does not end with one of them (hint: vantages.nats)")
	}
}

// unique adds a name to those seen and notes one that was seen before.
func unique(d *strictyaml.Decoder, seen []string, name *string, what string) []string {
	at := d.Place(name)
	if at == nil || *name == "" {
		return seen
	}
	if slices.Contains(seen, *name) {
		d.Errorf(at, "name: another %s is called %s", what, d.Describe(at))
	}
	return append(seen, *name)
}

func validateOrder(d *strictyaml.Decoder, p *Publish, names []string) {
	for i := range p.Order.Names {
		at, name := d.Place(&p.Order.Names[i]), p.Order.Names[i]
		switch {
		case at == nil:
		case !slices.Contains(names, name):
			d.Errorf(at, "order: no target is called %s%s", d.Describe(at), strictyaml.DidYouMean(name, names))
		case slices.Contains(p.Order.Names[:i], name):
			d.Errorf(at, "order: %s is listed twice", d.Describe(at))
		}
	}
	at := d.Place(&p.Order)
	for _, name := range names {
		if p.Order.Mode == OrderListed && !slices.Contains(p.Order.Names, name) {
			d.Errorf(at, "order: target %s is not listed (hint: list every target, or write auto)", strictyaml.Quoted(name))
		}
	}
	if p.Order.Mode == OrderParallel && p.OnLate == "rollback" {
		d.Errorf(d.Place(&p.OnLate), "on_late: rollback cannot be with order: parallel, which waits for no origin")
	}
}

// validateRedirects refuses what can be no page, and what is there twice.
func validateRedirects(d *strictyaml.Decoder, list []Redirect) {
	seen := map[string]bool{}
	for i := range list {
		r := &list[i]
		if at := d.Place(&r.From); at != nil {
			page, err := redirects.PathOf(r.From)
			switch {
			case err != nil:
				d.Errorf(at, "from: %s %v", d.Describe(at), err)
			case seen[page]:
				d.Errorf(at, "from: %s is there twice", d.Describe(at))
			}
			seen[page] = true
		}
		if at := d.Place(&r.To); at != nil {
			if err := redirects.CheckTo(r.To); err != nil {
				d.Errorf(at, "to: %s %v", d.Describe(at), err)
			}
		}
		if at := d.Place(&r.Status); at != nil && !redirects.IsStatus(r.Status) {
			d.Errorf(at, "status: %s is not the status of a redirect (hint: 301, 302, 303, 307 or 308)", d.Describe(at))
		}
	}
}

// validateGrace refuses a grace that keeps nothing.
func validateGrace(d *strictyaml.Decoder, p *Publish) {
	if at := d.Place(&p.Grace); at != nil && at != d.Place(p) && p.Grace.Releases == 0 && p.Grace.For == 0 {
		d.Errorf(at, "grace: no file would stay, because neither releases nor for is set (hint: grace: {releases: 1, for: 24h, match: hashed})")
	}
}

// maxStagedFor bounds how long a release may stay staged: targets do not keep what a record says for longer.
const maxStagedFor = 90 * 24 * time.Hour

func validateStagedFor(d *strictyaml.Decoder, duration *time.Duration) {
	if at := d.Place(duration); at != nil && (*duration < time.Hour || *duration > maxStagedFor) {
		d.Errorf(at, "staged_for: must be from 1h to %dh", int(maxStagedFor/time.Hour))
	}
}

func validatePositive(d *strictyaml.Decoder, key string, duration *time.Duration) {
	if at := d.Place(duration); at != nil && *duration == 0 {
		d.Errorf(at, "%s: must be longer than 0s", key)
	}
}

// validateJobs notes names given twice, and what is given to a job that has no use for it.
func validateJobs(d *strictyaml.Decoder, jobs []Job) {
	var names []string
	for i := range jobs {
		job := &jobs[i]
		names = unique(d, names, &job.Name, "job")
		if job.Watch && job.Run != "publish" {
			d.Errorf(d.Place(&job.Watch), "watch: is for run: publish only")
		}
		if job.Release != "" && job.Run != "publish" {
			d.Errorf(d.Place(&job.Release), "release: is for run: publish only")
		}
		if job.Release != "" && job.Watch {
			d.Errorf(d.Place(&job.Release), "release: cannot be with watch, which publishes the site's folder")
		}
	}
}

// validateNotify notes what no single value of a place to notify shows.
func validateNotify(d *strictyaml.Decoder, places []Notify) {
	var names []string
	for i := range places {
		place := &places[i]
		names = unique(d, names, &place.Name, "place to notify")
		if place.SecretEnv != "" && strings.Contains(place.URL, "://") && !isWebhook(place.URL) {
			d.Errorf(d.Place(&place.SecretEnv), "secret_env: signs what a webhook gets, and a service takes no signature")
		}
		if len(place.Urgent) > 0 && place.Quiet == "" {
			d.Errorf(d.Place(&place.Urgent), "urgent: is for what is told in a quiet time, and there is none")
		}
	}
}

func isWebhook(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}

// validateFront notes a quorum that can never be reached, or that proves nothing. What the defaults say is
// judged by the command, since most configs have no front.
func validateFront(d *strictyaml.Decoder, c *Config) {
	validateTLS(d, &c.Front.TLS)
	at := d.Place(&c.Front.Quorum)
	origins := 0
	for _, o := range originsOf(c) {
		if !o.Front {
			origins++
		}
	}
	switch {
	case d.Place(&c.Front) == nil || at == nil:
	case c.Front.Quorum > origins:
		d.Errorf(at, "quorum: %s is more than the config has origins for a front, which is %d", d.Describe(at), origins)
	case c.Front.Trust == "quorum" && c.Front.Quorum < 2:
		d.Errorf(at, "quorum: %s proves nothing with trust: quorum (hint: 2 or more origins, so that one that is hijacked does not decide)", d.Describe(at))
	}
}

// validateTLS notes a certificate that is in no file and from no authority.
func validateTLS(d *strictyaml.Decoder, t *FrontTLS) {
	acme := &t.ACME
	switch {
	case (t.Cert == "") != (t.Key == ""):
		d.Errorf(d.Place(t), "tls: cert and key go together")
	case t.Cert == "" && len(acme.Names) == 0 && (t.Redirect != "" || t.HSTS > 0):
		d.Errorf(d.Place(t), "tls: redirect and hsts are for a front with cert and key, or with acme.names")
	case d.Place(acme) != nil && len(acme.Names) == 0:
		d.Errorf(d.Place(acme), "acme: names: missing (hint: names: [blog.example.com])")
	}
	for i := range acme.Names {
		if name := acme.Names[i]; wrongHost(name) != "" || strings.Contains(name, ":") || strings.ToLower(name) != name || !strings.Contains(strings.Trim(name, "."), ".") || net.ParseIP(name) != nil {
			d.Errorf(d.Place(&acme.Names[i]), "names: %q is not a host name that gets a certificate (hint: blog.example.com, in small letters, without a port or *)", name)
		}
	}
	if u, err := url.Parse(acme.Directory); acme.Directory != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil) {
		d.Errorf(d.Place(&acme.Directory), "directory: it is not an https URL (hint: that of Let's Encrypt is the default)")
	}
}

func originsOf(c *Config) []OwnOrigin {
	all := slices.Clone(c.Origins)
	for _, t := range c.Targets {
		if t.Origin.URL != nil {
			all = append(all, OwnOrigin{Name: t.Name, Origin: t.Origin})
		}
	}
	return all
}
