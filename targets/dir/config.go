package dir

// Config is the target's part of mirror.yaml.
type Config struct {
	// Path is the folder in which releases/ holds the releases, and the link current names the live one.
	// Where the system lets mirror make no link (Windows without developer mode), current is a file with the
	// name of the folder, which mirror serve follows.
	Path string `yaml:"path" jsonschema:"required,format=path" example:"/srv/www/blog"`
	// Mode is the mode of the files of a release, in octal digits. Folders get the same with the right to
	// enter for all who may read. The umask does not change them. It means nothing on Windows.
	Mode string `yaml:"mode" jsonschema:"default=0644" example:"\"0640\""`
}
