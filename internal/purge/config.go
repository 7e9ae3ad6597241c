package purge

// Config is one item of purge in mirror.yaml: a cache, or a service with caches.
type Config struct {
	// Type is the kind of cache or service.
	Type string `yaml:"type" jsonschema:"required,enum=cloudflare,enum=cloudfront,enum=fastly,enum=varnish,enum=webhook" example:"varnish"`
	// URL is the address of the cache itself (type varnish), or of the webhook. A path in it comes before that of each
	// page.
	URL string `yaml:"url" example:"\"http://127.0.0.1:6081\""`
	// Method is the method of the request that removes a page, for type varnish: PURGE, BAN, or GET for a cache
	// that fetches a page anew when it is asked with Header, such as nginx with proxy_cache_bypass.
	Method string `yaml:"method" jsonschema:"default=PURGE,enum=PURGE,enum=BAN,enum=GET" example:"BAN"`
	// Header is the name of a header that the requests to type varnish have. Its value is the token, or 1 where
	// TokenEnv is "".
	Header string `yaml:"header" jsonschema:"format=header" example:"X-Purge-Token"`
	// Host is the Host header of the requests to type varnish, where the cache knows the pages under another name than that in
	// the origin's URL.
	Host string `yaml:"host" jsonschema:"format=host" example:"blog.example.com"`
	// TokenEnv names the environment variable with the API token: of Cloudflare (permission Cache Purge) and of
	// Fastly (scope purge_select). For types varnish and webhook it is optional, and sent in Authorization: Bearer
	// or in Header.
	TokenEnv string `yaml:"token_env" example:"CLOUDFLARE_API_TOKEN"`
	// SecretEnv names the environment variable with the secret that signs the requests to a webhook.
	SecretEnv string `yaml:"secret_env" example:"PURGE_HOOK_SECRET"`
	// Zone is the ID of the Cloudflare zone.
	Zone string `yaml:"zone" example:"023e105f4ecef8ad9ca31a8372d0c353"`
	// Batch is how many URLs one request to Cloudflare holds: 30 for every plan, up to 500 where the plan allows it.
	Batch int `yaml:"batch" jsonschema:"default=30,minimum=1,maximum=500" example:"100"`
	// Distribution is the ID of the CloudFront distribution.
	Distribution string `yaml:"distribution" example:"E2QWRUHEXAMPLE"`
	// AccessKeyEnv names the environment variable with the access key for CloudFront. Without it the credentials are those that
	// the AWS SDK finds. They need the permissions cloudfront:CreateInvalidation and cloudfront:GetInvalidation.
	AccessKeyEnv string `yaml:"access_key_env" example:"PURGE_ACCESS_KEY"`
	// SecretKeyEnv names the environment variable with the secret key that belongs to it.
	SecretKeyEnv string `yaml:"secret_key_env" example:"PURGE_SECRET_KEY"`
	// Service is the ID of the Fastly service. It is needed for SurrogateKeys.
	Service string `yaml:"service" example:"SU1Z0isxPaozGVKXdv0eY"`
	// Soft is whether Fastly marks pages as stale and does not remove them: visitors may get the old page once more.
	Soft bool `yaml:"soft" jsonschema:"default=false" example:"true"`
	// SurrogateKeys lists the keys that Fastly purges in place of URLs.
	SurrogateKeys []string `yaml:"surrogate_keys" example:"[blog]"`
	// API is the base URL of the service's API, where it is another than the usual one.
	API string `yaml:"api" example:"\"https://api.cloudflare.com\""`
}
