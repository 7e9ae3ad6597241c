package dir

import (
	_ "embed" // config.go
	"path/filepath"

	"mirror/targets"
)

// configSource has the descriptions of the keys.
//
//go:embed config.go
var configSource string

// Kind is a folder that a web server serves.
func Kind() targets.Kind {
	return targets.Kind{
		Name:   "dir",
		Config: Config{},
		Source: configSource,
		Open:   New,
		Traits: targets.Traits{CompareAndSwap: true, Atomic: true},
		Place: func(decode targets.Decode) (targets.Place, error) {
			var c Config
			if err := decode(&c); err != nil {
				return targets.Place{}, err
			}
			path, err := filepath.Abs(c.Path)
			return targets.Place{ID: path, Key: "path", Folder: path}, err
		},
		Sample: targets.Sample{
			Name:   "disk",
			About:  "A folder: the web server serves the link \"current\" in it.",
			Keys:   []targets.SampleKey{{Name: "path", Value: "/srv/www/SITE", Placeholder: true}},
			Origin: "http://127.0.0.1:8080/",
		},
	}
}
