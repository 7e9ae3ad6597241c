package config

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"mirror/internal/config/strictyaml"
	"mirror/internal/purge"
)

// validatePurge notes keys that the type of a cache does not have, those that it lacks, and wrong values.
func validatePurge(d *strictyaml.Decoder, caches []purge.Config) {
	for i := range caches {
		c := &caches[i]
		n := d.Place(c)
		if n == nil || n.Kind != yaml.MappingNode {
			continue
		}
		var given []string
		for k := 0; k+1 < len(n.Content); k += 2 {
			key := n.Content[k]
			given = append(given, key.Value)
			if has, _ := purge.Takes(c.Type, key.Value); !has && c.Type != "" && slices.Contains(strictyaml.KeysOf(purge.Config{}), key.Value) {
				d.Errorf(key, "key %q does not belong to type %s", key.Value, c.Type)
			}
		}
		for _, key := range strictyaml.KeysOf(purge.Config{}) {
			if _, needs := purge.Takes(c.Type, key); needs && !slices.Contains(given, key) && key != "type" {
				d.Errorf(n, "required key %q is missing (type %s)", key, c.Type)
			}
		}
		c.Validate(func(key, why string) {
			if key == "url" && c.Type == "webhook" {
				d.Wrong(n, key, why, func(at *yaml.Node) string { return redacted(d, at) })
				return
			}
			d.Wrong(n, key, why, d.Describe)
		})
		if at := d.Place(&c.URL); at != nil && c.Type == "webhook" && !d.FromEnv(at) && writtenSecret(c.URL) {
			d.Errorf(at, "url: %s holds a secret (hint: keep it in the environment and write ${NAME} here)", redacted(d, at))
		}
	}
}

// validatePurges notes caches whose servers may not be connected to.
func (u *Untrusted) validatePurges(d *strictyaml.Decoder, c *Config) {
	var origins []Origin
	for i := range c.Targets {
		origins = append(origins, c.Targets[i].Origin)
	}
	for i := range c.Origins {
		origins = append(origins, c.Origins[i].Origin)
	}
	for _, o := range origins {
		for i := range o.Purge {
			cache := &o.Purge[i]
			if why := u.wrongPeer(cache.Peer()); cache.Peer() != "" && why != "" {
				if n := d.Place(cache); n != nil {
					d.Errorf(n, "purge: type %s %s", cache.Type, why)
				}
			}
		}
	}
}
