package purge

import (
	"fmt"
	"net/http"
	"net/url"
)

// Env is what a cache may take from the environment.
type Env struct {
	Getenv func(string) string
	// Transport of the requests; nil for one that goes by the environment's proxy.
	Transport http.RoundTripper
}

// New returns the cache of a valid config. The error names the environment variable that is missing.
func New(c Config, env Env) (Cache, error) {
	token, err := variable(env, "token_env", c.TokenEnv)
	if err != nil {
		return nil, err
	}
	secret, err := variable(env, "secret_env", c.SecretEnv)
	if err != nil {
		return nil, err
	}
	client := newClient(env.Transport)
	switch c.Type {
	case typeVarnish:
		return newDirect(c, token, client)
	case typeWebhook:
		return &webhook{address: c.URL, token: token, secret: secret, client: client}, nil
	case typeCloudflare:
		return &cloudflare{address: c.api() + "/client/v4/zones/" + url.PathEscape(c.Zone) + "/purge_cache", token: token, batch: c.Batch, client: client}, nil
	case typeFastly:
		return &fastly{api: c.api(), token: token, service: c.Service, soft: c.Soft, keys: c.SurrogateKeys, client: client}, nil
	case typeCloudFront:
		return newCloudFront(c, env, client)
	}
	return nil, fmt.Errorf("type %s is not supported", c.Type)
}

// variable reads an environment variable that the config names.
func variable(env Env, key, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	value := env.Getenv(name)
	if value == "" {
		return "", fmt.Errorf("the environment has no %s (%s)", name, key)
	}
	return value, nil
}

// api returns the base URL of a service's API, without a slash at the end.
func (c Config) api() string {
	if c.API != "" {
		return trimSlash(c.API)
	}
	return map[string]string{
		typeCloudflare: "https://api.cloudflare.com", typeCloudFront: "https://cloudfront.amazonaws.com", typeFastly: "https://api.fastly.com",
	}[c.Type]
}

// Peer returns the URL of the server that the cache's requests go to.
func (c Config) Peer() string {
	if c.Type == typeVarnish || c.Type == typeWebhook {
		return c.URL
	}
	return c.api()
}
