package purge

import _ "embed" // config.go below

// Source is the source of Config: its comments describe the keys.
//
//go:embed config.go
var Source string
