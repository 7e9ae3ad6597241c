package dir

// Config is the target's part of mirror.yaml.
type Config struct {
	// Path is the folder in which releases/ holds the releases, and the link current names the live one.
	Path string `yaml:"path" jsonschema:"required,format=path" example:"/srv/www/blog"`
}
