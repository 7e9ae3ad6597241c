package s3

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/bmatcuk/doublestar/v4"
)

// headers are the response headers that a website endpoint serves an object with.
type headers struct {
	Type     string `json:"type,omitempty"`
	Cache    string `json:"cache,omitempty"`
	Encoding string `json:"encoding,omitempty"`
	// Other stands for headers that we never set: an object that has one is not as wanted.
	Other string `json:"other,omitempty"`
}

// staged is for content that no visitor asks for.
var staged = headers{Type: "application/octet-stream"}

func (h headers) apply(in *s3.PutObjectInput) {
	in.ContentType, in.CacheControl, in.ContentEncoding = optional(h.Type), optional(h.Cache), optional(h.Encoding)
}

// ruled applies the rules that match, the last one winning header by header.
func ruled(rules []HeaderRule, name string, h headers) headers {
	for _, r := range rules {
		if !doublestar.MatchUnvalidated(r.Match, name) {
			continue
		}
		for _, set := range []struct {
			to    *string
			value string
		}{{&h.Type, r.ContentType}, {&h.Cache, r.CacheControl}, {&h.Encoding, r.ContentEncoding}} {
			if set.value != "" {
				*set.to = set.value
			}
		}
	}
	return h
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
