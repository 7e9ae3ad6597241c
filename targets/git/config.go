package git

// Config is a git target's part of the config.
type Config struct {
	// URL is the address of the repository: ssh, https, http, file, a path, or user@host:path.
	URL string `yaml:"url" jsonschema:"required" example:"git@github.com:me/me.github.io.git"`
	// Branch is the branch that the host serves.
	Branch string `yaml:"branch" jsonschema:"default=gh-pages" example:"gh-pages"`
	// CNAME is the site's own domain name, which is written to the file CNAME of the branch where the
	// site has no such file.
	CNAME string `yaml:"cname" example:"blog.example.com"`
	// TokenEnv names the environment variable with the access token, for https; the user name is the
	// URL's. Without it the login is taken from the netrc file and git's credential helpers.
	TokenEnv string `yaml:"token_env" example:"GITHUB_TOKEN"`
	// History is how many commits the branch keeps: keep for all of them, squash for the latest one, or
	// last 20 for the 20 latest ones. A host that refuses to shorten the branch keeps all of them.
	History string `yaml:"history" jsonschema:"default=keep" example:"last 20"`
	// Rescue is when the same tree is pushed again under a new commit because the origin does not show the
	// release: a time after the commit, off, or auto. auto means three times the slowest known lag of the
	// origin, at least 2m, and 10m where no lag is known, on github.com, and off on other hosts.
	Rescue string `yaml:"rescue" jsonschema:"default=auto" example:"10m"`
	// Orphan is an older name of history: squash.
	Orphan bool `yaml:"orphan" jsonschema:"default=false" example:"false"`
	// Author is the author of the commits, as Name <address>.
	Author string `yaml:"author" jsonschema:"default=mirror <mirror@localhost>" example:"Blog <blog@example.com>"`
	// SSHKey is the file of the private key for ssh that is tried first; without it the agent's keys and
	// those that ssh_config names are tried.
	SSHKey string `yaml:"ssh_key" jsonschema:"format=path" example:"/home/me/.ssh/deploy_key"`
	// SigningKey is the ssh key that signs the commits: the file of a private key without a passphrase,
	// the file of a public key whose private key ssh-agent has, or agent for the first key of ssh-agent.
	SigningKey string `yaml:"signing_key" jsonschema:"format=key" example:"/home/me/.ssh/id_ed25519"`
	// KnownHosts is the file of the known hosts for ssh; without it those that ssh_config names.
	KnownHosts string `yaml:"known_hosts" jsonschema:"format=path" example:"/etc/ssh/known_hosts"`
}

const (
	defaultBranch = "gh-pages"
	defaultAuthor = "mirror <mirror@localhost>"
)
