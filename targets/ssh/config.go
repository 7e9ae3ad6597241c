package ssh

// Config is the target's part of mirror.yaml.
type Config struct {
	// URL is the folder on the host: ssh://user@host:port/path, or user@host:path with a path that is
	// relative to the account's folder where it begins with no slash. As with a target of type dir,
	// releases/ in it holds the releases, and the link current names the live one.
	URL string `yaml:"url" jsonschema:"required" example:"ssh://deploy@www.example.com/srv/www/blog"`
	// Mode is the mode of the files of a release, in octal digits. Folders get the same with the right to
	// enter for all who may read. The umask of the account does not change them.
	Mode string `yaml:"mode" jsonschema:"default=0644" example:"\"0640\""`
	// SSHKey is the file of the private key that is tried first; without it the agent's keys and those that
	// ssh_config names are tried.
	SSHKey string `yaml:"ssh_key" jsonschema:"format=path" example:"/home/me/.ssh/deploy_key"`
	// KnownHosts is the file of the known hosts; without it those that ssh_config names.
	KnownHosts string `yaml:"known_hosts" jsonschema:"format=path" example:"/etc/ssh/known_hosts"`
}
