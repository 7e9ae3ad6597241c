package targets

// Accessor is the config struct of a kind that says what a target with it uses beyond the bucket, branch or
// registry itself. A config that is not trusted may use nothing of it unless it was allowed; a kind
// whose config struct says nothing cannot be used there.
type Accessor interface {
	// Access lists all that opening the target, reading from it and publishing to it may use. Keys that are
	// empty use nothing.
	Access() []Access
}

// Access is one thing that a key of a config makes the program use.
type Access struct {
	Key string
	// Command: the key names a command that is run, or something that may run one.
	Command bool
	// Peer is the URL of a server that is connected to: scheme, host and, unless it is the usual one, port.
	Peer string
	// File is the path of a file or folder of this machine that is read or written.
	File string
}
