package exec

import (
	"cmp"
	_ "embed" // config.go
	"strings"

	"mirror/targets"
)

// configSource has the descriptions of the keys.
//
//go:embed config.go
var configSource string

// Kind is any other place, which a program publishes to.
func Kind() targets.Kind {
	return targets.Kind{
		Name:   "exec",
		Config: Config{},
		Source: configSource,
		Open:   New,
		Traits: targets.Traits{CompareAndSwap: true, LateGrace: true},
		Place: func(decode targets.Decode) (targets.Place, error) {
			var c Config
			err := decode(&c)
			return targets.Place{ID: cmp.Or(c.Place, c.Workdir+"\x00"+strings.Join(c.Command, "\x00")), Key: "command"}, err
		},
		WrongKeep: func(globs targets.Keep) string {
			return "is not a glob that an exec target takes: its program is not asked to keep files"
		},
		Sample: targets.Sample{
			Name:   "other",
			About:  "Any other place, which a program of yours publishes to: see docs/targets/exec.md.",
			Keys:   []targets.SampleKey{{Name: "command", Value: `["./DEPLOY.sh"]`, Placeholder: true}},
			Origin: "https://www.example.com/",
		},
	}
}

// Access is the program.
func (c Config) Access() []targets.Access {
	return []targets.Access{{Key: "command", Command: true}, {Key: "workdir", File: c.Workdir}}
}

// Validate refuses a command without a program, and a time that is none.
func (c Config) Validate(wrong targets.Wrong) {
	if len(c.Command) > 0 && strings.TrimSpace(c.Command[0]) == "" {
		wrong("command[0]", "is not a program")
	}
	if _, err := timeoutOf(c.Timeout); err != nil {
		wrong("timeout", err.Error())
	}
}
