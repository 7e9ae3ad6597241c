package ssh

import (
	_ "embed" // config.go

	"mirror/targets"
)

// configSource has the descriptions of the keys.
//
//go:embed config.go
var configSource string

// Kind is a folder on a host that is reached over ssh.
func Kind() targets.Kind {
	return targets.Kind{
		Name:   "ssh",
		Config: Config{},
		Source: configSource,
		Open:   New,
		Traits: targets.Traits{CompareAndSwap: true, Atomic: true},
		Place: func(decode targets.Decode) (targets.Place, error) {
			var c Config
			if err := decode(&c); err != nil {
				return targets.Place{}, err
			}
			a, err := parseAddress(c.URL)
			return targets.Place{ID: a.id(), Key: "url"}, err
		},
		Sample: targets.Sample{
			Name:  "server",
			About: "A folder on a host that is reached over ssh: the web server there serves the link \"current\" in it.",
			Keys:  []targets.SampleKey{{Name: "url", Value: "ssh://USER@HOST/srv/www/SITE", Placeholder: true}},
			Options: `    # The private key, where neither ssh-agent nor ssh_config has it.
    # ssh_key: ~/.ssh/deploy_key
`,
			Origin: "https://www.example.com/",
		},
	}
}

// Access is the host, and the files for ssh.
func (c Config) Access() []targets.Access {
	all := []targets.Access{{Key: "ssh_key", File: c.SSHKey}, {Key: "known_hosts", File: c.KnownHosts}}
	if a, err := parseAddress(c.URL); err == nil {
		all = append(all, targets.Access{Key: "url", Peer: a.peer()})
	}
	return all
}
