package bucket

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Headers are the response headers that a website endpoint serves an object with.
type Headers struct {
	Type     string `json:"type,omitempty"`
	Cache    string `json:"cache,omitempty"`
	Encoding string `json:"encoding,omitempty"`
	// Redirect is where a website endpoint sends visitors to in place of the content; "" for none.
	Redirect string `json:"redirect,omitempty"`
	// Other stands for headers that we never set: an object that has one is not as wanted.
	Other string `json:"other,omitempty"`
}

// Differences says, for people, which headers an object has and which it is to have.
func (h Headers) Differences(stored Headers) string {
	var parts []string
	for _, header := range []struct{ name, have, want string }{
		{"content-type", stored.Type, h.Type}, {"cache-control", stored.Cache, h.Cache}, {"content-encoding", stored.Encoding, h.Encoding},
		{"redirect", stored.Redirect, h.Redirect},
	} {
		if header.have != header.want {
			parts = append(parts, header.name+": "+cmp.Or(header.have, "none")+" → "+cmp.Or(header.want, "none"))
		}
	}
	return strings.Join(parts, "; ")
}

// Staged are the headers of content that no visitor asks for.
var Staged = Headers{Type: "application/octet-stream"}

func (h Headers) apply(in *s3.PutObjectInput) {
	in.ContentType, in.CacheControl, in.ContentEncoding = optional(h.Type), optional(h.Cache), optional(h.Encoding)
	in.WebsiteRedirectLocation = optional(h.Redirect)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ContentCoding is a Content-Encoding without the tokens that change no byte: other tools leave
// aws-chunked, which is a form of upload, and names of character sets on the objects that they write.
func ContentCoding(value string) string {
	var codings []string
	for token := range strings.SplitSeq(strings.ToLower(value), ",") {
		token = strings.TrimSpace(token)
		if !slices.Contains([]string{"", "aws-chunked", "identity", "none", "utf-8", "utf8", "binary", "8bit"}, token) {
			codings = append(codings, token)
		}
	}
	return strings.Join(codings, ",")
}

// Attributes are what an object that visitors may ask for is stored with beside its bytes.
type Attributes struct {
	Headers *Headers // nil for those of a copy's source
	ACL     ACL
	// Demanded is whether the write fails where the service takes no ACL; else it goes without.
	Demanded bool
	Class    string // the storage class; "" for the bucket's default
}

// Receipt is what the service said of an object that it stored.
type Receipt struct {
	ETag string    // quoted, as sent; "" where the service told none
	At   time.Time // by the service's clock, to the second; zero where it told none
}
