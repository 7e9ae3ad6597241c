package cdn

import "slices"

// undocumented is the cell of a cache whose makers do not say that it honours the directives of a request.
var undocumented = Cell{Text: "no: not documented", Source: "-"}

// Providers returns the table, sorted by name.
func Providers() []Provider { return slices.Concat(services(), servers()) }

// services are those that run caches for others.
func services() []Provider {
	return []Provider{
		{
			Name: "akamai", Title: "Akamai",
			Query:      Cell{true, "yes", "https://techdocs.akamai.com/delivery-mgr-rules/docs/accelerate-delivery-offload-origin-4"},
			Directives: undocumented,
			Status:     Cell{true, "`X-Cache`, on request", "https://techdocs.akamai.com/edge-diagnostics/docs/pragma-headers"},
			Purge:      Cell{false, "`purge: {type: webhook}`", "docs/purge.md"},
		},
		{
			Name: "bunny", Title: "bunny.net",
			Query:      Cell{false, "no, unless *Vary Cache: URL Query String* is on", "https://docs.bunny.net/cdn/vary-cache"},
			Directives: undocumented,
			Status:     Cell{false, "not documented", "-"},
			Purge:      Cell{false, "`purge: {type: webhook}`", "docs/purge.md"},
		},
		{
			Name: "cloudflare", Title: "Cloudflare",
			Query:      Cell{true, "yes", "https://developers.cloudflare.com/cache/how-to/cache-keys/"},
			Directives: undocumented,
			Status:     Cell{true, "`CF-Cache-Status`", "https://developers.cloudflare.com/cache/concepts/cache-responses/"},
			Purge:      Cell{true, "`purge: {type: cloudflare}`", "docs/purge.md"},
		},
		{
			Name: "cloudfront", Title: "Amazon CloudFront",
			Query:      Cell{false, "no, with the managed policy CachingOptimized", "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html"},
			Directives: undocumented,
			Status:     Cell{true, "`X-Cache`", "-"},
			Purge:      Cell{true, "`purge: {type: cloudfront}`", "docs/purge.md"},
		},
		{
			Name: "fastly", Title: "Fastly",
			Query:      Cell{true, "yes", "https://www.fastly.com/documentation/guides/full-site-delivery/caching/manipulating-the-cache-key"},
			Directives: undocumented,
			Status:     Cell{true, "`X-Cache`", "https://www.fastly.com/documentation/reference/http/http-headers/X-Cache/"},
			Purge:      Cell{true, "`purge: {type: fastly}`", "docs/purge.md"},
		},
		{
			Name: "github-pages", Title: "GitHub Pages",
			Query:      Cell{true, "yes, by reports of users", "https://github.com/sourcegraph/checkup/issues/117"},
			Directives: undocumented,
			Status:     Cell{true, "`X-Cache`", "https://github.com/inspec/inspec/pull/4674"},
			Purge:      Cell{false, "none; pages expire after 10 minutes", "https://github.com/iamahsanmehmood/openskp/pull/230"},
		},
		{
			Name: "netlify", Title: "Netlify",
			Query:      Cell{false, "no, for static files", "https://docs.netlify.com/platform/caching/"},
			Directives: undocumented,
			Status:     Cell{false, "not documented", "-"},
			Purge:      Cell{false, "none needed: a deployment does it", "https://docs.netlify.com/platform/caching/"},
		},
	}
}

// servers are the caches that a person runs.
func servers() []Provider {
	return []Provider{
		{
			Name: "nginx", Title: "nginx `proxy_cache`",
			Query:      Cell{true, "yes", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_key"},
			Directives: Cell{false, "no", "internal/workspace/notrace_test.go"},
			Status:     Cell{false, "none by default", "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#var_upstream_cache_status"},
			Purge:      Cell{true, "`purge: {type: varnish, method: GET, header: …}`", "docs/purge.md"},
		},
		{
			Name: "squid", Title: "Squid",
			Query:      Cell{true, "yes", "internal/workspace/notrace_test.go"},
			Directives: Cell{false, "not used: `refresh_pattern` can turn it off", "https://www.squid-cache.org/Doc/config/refresh_pattern/"},
			Status:     Cell{true, "`X-Cache`", "internal/workspace/notrace_test.go"},
			Purge:      Cell{true, "`purge: {type: varnish}`", "docs/purge.md"},
		},
		{
			Name: "varnish", Title: "Varnish",
			Query:      Cell{true, "yes", "internal/workspace/notrace_test.go"},
			Directives: Cell{false, "no", "internal/workspace/notrace_test.go"},
			Status:     Cell{true, "`X-Varnish`, `Age`", "internal/workspace/notrace_test.go"},
			Purge:      Cell{true, "`purge: {type: varnish}`", "docs/purge.md"},
		},
	}
}
