package oci

import (
	"github.com/google/go-containerregistry/pkg/name"

	"mirror/targets"
)

// Access is the registries of the image and of its base, and what a rollout runs and calls.
func (c Config) Access() []targets.Access {
	all := []targets.Access{
		{Key: "rollout.exec", Command: len(c.Rollout.Exec) > 0},
		{Key: "rollout.webhook", Peer: c.Rollout.Webhook},
		{Key: "self_binary", File: c.SelfBinary},
	}
	tag, _ := c.liveTag()
	all = append(all, targets.Access{Key: "image", Peer: peer(tag)})
	if base, _ := c.baseRef(tag); base != nil {
		all = append(all, targets.Access{Key: "base", Peer: peer(base)})
	}
	return all
}

// peer is the URL of an image's registry.
func peer(ref name.Reference) string {
	registry := ref.Context().Registry
	return registry.Scheme() + "://" + registry.RegistryStr()
}
