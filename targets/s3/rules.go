package s3

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// headersFor returns what a file is to be served with.
func (t *Target) headersFor(rel *site.Release, f site.File) (bucket.Headers, error) {
	var head []byte
	if path.Ext(f.Path) == "" {
		var err error
		if head, err = firstBytes(rel, f); err != nil {
			return bucket.Headers{}, err
		}
	}
	return ruled(t.rules, f.Path, bucket.Headers{Type: site.ContentType(f.Path, head), Redirect: t.redirectOf(rel, f)}), nil
}

// redirectOf is where the website endpoint is to send visitors of a file that stands for a redirect: a path with
// a leading slash, or a URL.
func (t *Target) redirectOf(rel *site.Release, f site.File) string {
	to := rel.Redirects[f.Path]
	u, err := url.Parse(to)
	if !t.redirects || to == "" || err != nil {
		return ""
	}
	if u.Host == "" && t.bucket.Prefix != "" {
		return "/" + strings.TrimSuffix(t.bucket.Prefix, "/") + u.String()
	}
	return u.String()
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
func (t *Target) beaconHeaders(name string) bucket.Headers {
	return ruled(t.rules, name, bucket.Headers{Type: "application/json", Cache: "no-cache"})
}

// beaconEntry describes a beacon as it lies in the bucket.
func (t *Target) beaconEntry(b *documents.Beacon) documents.Entry {
	return documents.Entry{Path: b.Path, Size: int64(len(b.Body)), Content: verified.Content{Digest: sha256.Sum256(b.Body), Headers: t.beaconHeaders(b.Path)}}
}

// ruled applies the rules that match, the last one winning header by header.
func ruled(rules []HeaderRule, name string, h bucket.Headers) bucket.Headers {
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

// Header returns the value that the config's rules give a file as one response header, "" where
// none does.
func (c Config) Header(path, name string) string {
	h := ruled(c.Headers, path, bucket.Headers{})
	switch http.CanonicalHeaderKey(name) {
	case "Cache-Control":
		return h.Cache
	case "Content-Encoding":
		return h.Encoding
	}
	return ""
}
