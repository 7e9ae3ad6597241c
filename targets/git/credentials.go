package git

import (
	"fmt"

	"github.com/go-git/go-git/v5/plumbing/transport"

	"mirror/internal/netname"
	"mirror/targets"
	"mirror/targets/git/internal/wire"
)

// credentials are the token, or what the URL itself holds. They are not sent over a
// connection that others can read.
func credentials(place *transport.Endpoint, env targets.Env, c Config) (wire.Login, error) {
	l := wire.Login{User: place.User, Password: place.Password}
	if c.TokenEnv != "" {
		if env.Getenv == nil || env.Getenv(c.TokenEnv) == "" {
			return wire.Login{}, fmt.Errorf("the environment variable %s, which token_env names, is empty", c.TokenEnv)
		}
		l = wire.Login{User: "x-access-token", Password: env.Getenv(c.TokenEnv)}
	}
	if place.Protocol == "http" && l.Password != "" && !netname.IsLoopback(place.Host) {
		return wire.Login{}, fmt.Errorf("credentials for %s would travel in clear (hint: use https)", place.Host)
	}
	return l, nil
}
