package oci

import (
	_ "embed" // config.go

	"mirror/targets"
)

// configSource has the descriptions of the keys.
//
//go:embed config.go
var configSource string

// Kind is a container image with the site and a web server in it. No registry compares and
// swaps tags.
func Kind() targets.Kind {
	return targets.Kind{
		Name:          "oci",
		Config:        Config{},
		Source:        configSource,
		Open:          New,
		Traits:        targets.Traits{LateGrace: true, Atomic: true, Deploys: true},
		StoredSecrets: storedSecrets,
		Place: func(decode targets.Decode) (targets.Place, error) {
			var c Config
			err := decode(&c)
			return targets.Place{ID: c.Image, Key: "image"}, err
		},
		Sample: targets.Sample{
			Name:  "image",
			About: "A container image with the site and a web server in it.",
			Keys:  []targets.SampleKey{{Name: "image", Value: "registry.example.com/owner/site:latest", Placeholder: true}, {Name: "base", Value: baseSelf}},
			Options: `    # The base may be any image with a web server, such as nginx:alpine; tell where it reads:
    # web_root: /usr/share/nginx/html
    # platforms: [linux/amd64, linux/arm64]
    # rollout: {exec: ["kubectl", "set", "image", "deploy/blog", "blog={image}@{digest}"]}
`,
			Origin: "https://SITE.example.com/",
			Usual:  true,
		},
	}
}
