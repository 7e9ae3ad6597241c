package bucket

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Headers are the response headers that a website endpoint serves an object with.
type Headers struct {
	Type     string `json:"type,omitempty"`
	Cache    string `json:"cache,omitempty"`
	Encoding string `json:"encoding,omitempty"`
	// Other stands for headers that we never set: an object that has one is not as wanted.
	Other string `json:"other,omitempty"`
}

// Staged are the headers of content that no visitor asks for.
var Staged = Headers{Type: "application/octet-stream"}

func (h Headers) apply(in *s3.PutObjectInput) {
	in.ContentType, in.CacheControl, in.ContentEncoding = optional(h.Type), optional(h.Cache), optional(h.Encoding)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
