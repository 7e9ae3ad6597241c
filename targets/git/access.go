package git

import (
	"net"
	"strconv"

	"mirror/targets"
	"mirror/targets/git/internal/sshsig"
	"mirror/targets/git/internal/wire"
)

// Access is the host of the repository and the files for ssh. A repository on this machine runs its own hooks.
func (c Config) Access() []targets.Access {
	all := []targets.Access{{Key: "ssh_key", File: c.SSHKey}, {Key: "known_hosts", File: c.KnownHosts}}
	switch c.SigningKey {
	case "":
	case sshsig.Agent:
		all = append(all, targets.Access{Key: "signing_key", Command: true}) // the agent may run a program to confirm it
	default:
		all = append(all, targets.Access{Key: "signing_key", File: c.SigningKey})
	}
	place, err := wire.ParseURL(c.URL)
	if err != nil || place.Protocol == "file" {
		return append(all, targets.Access{Key: "url", Command: true})
	}
	host := place.Host
	if place.Port > 0 {
		host = net.JoinHostPort(host, strconv.Itoa(place.Port))
	}
	return append(all, targets.Access{Key: "url", Peer: place.Protocol + "://" + host})
}
