package exec

// Config is the target's part of mirror.yaml.
type Config struct {
	// Command is the program and its arguments. It speaks the protocol of docs/targets/exec.md.
	Command []string `yaml:"command" jsonschema:"required" example:"[\"./deploy.sh\", \"www.example.com\"]"`
	// Workdir is the folder that the program runs in; without it the one that mirror runs in.
	Workdir string `yaml:"workdir" jsonschema:"format=path" example:"./deploy"`
	// Place names what the program publishes to, the same in each config that publishes there; without it the
	// command does.
	Place string `yaml:"place" example:"www.example.com/blog"`
	// Timeout is how long the program may print nothing before it is ended.
	Timeout string `yaml:"timeout" jsonschema:"default=5m" example:"30m"`
}
