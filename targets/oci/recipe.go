package oci

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// recipe is all that an image is made from but the site: what labelConfig is a digest of.
type recipe struct {
	Format      int               `json:"format"` // of the layer and the config, counted up when they change
	Base        string            `json:"base"`   // digest of the base, "" for self, "none" for none
	Self        map[string]string `json:"self"`   // identity of the server's files, by platform
	Platforms   []string          `json:"platforms"`
	WebRoot     string            `json:"web_root"`
	Beacon      string            `json:"beacon"`
	Sums        bool              `json:"sums,omitempty"` // whether the manifest is there
	Compression string            `json:"compression"`
	Compress    []string          `json:"compress,omitempty"`
	Tags        []string          `json:"tags,omitempty"` // so that a change of them is published
}

func (r recipe) digest() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // the fields are plain
	}
	d := sha256.Sum256(text)
	return hex.EncodeToString(d[:])
}
