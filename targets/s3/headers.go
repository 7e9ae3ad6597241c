package s3

import (
	"errors"
	"io"
	"path"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/bmatcuk/doublestar/v4"

	"mirror/site"
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

// headersFor returns what a file is to be served with.
func (t *Target) headersFor(rel *site.Release, f site.File) (headers, error) {
	var head []byte
	if path.Ext(f.Path) == "" {
		var err error
		if head, err = firstBytes(rel, f); err != nil {
			return headers{}, err
		}
	}
	return ruled(t.rules, f.Path, headers{Type: site.ContentType(f.Path, head)}), nil
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

const sniffed = 512

func firstBytes(rel *site.Release, f site.File) ([]byte, error) {
	r, err := rel.Open(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	head := make([]byte, min(sniffed, f.Size))
	n, err := io.ReadFull(r, head)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

// beaconHeaders are for the beacon, which no cache may keep unless a rule says so.
func (t *Target) beaconHeaders(name string) headers {
	return ruled(t.rules, name, headers{Type: "application/json", Cache: "no-cache"})
}
