package s3_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/klauspost/compress/zstd"
)

// holdsBytes returns the key of an object with exactly this content, "" for none.
func (p *place) holdsBytes(t *testing.T, content []byte) string {
	t.Helper()
	for _, key := range p.keys(t, "") {
		o, err := p.api.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &p.bucket, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(o.Body)
		o.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(raw, content) {
			return key
		}
	}
	return ""
}

// holds searches all objects for a text, also in documents, which are compressed.
func (p *place) holds(t *testing.T, text string) string {
	t.Helper()
	unpack, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unpack.Close()
	for _, key := range p.keys(t, "") {
		o, err := p.api.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &p.bucket, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(o.Body)
		o.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		plain, _ := unpack.DecodeAll(raw, nil)
		// A state document is kept in a change as base64.
		if bytes.Contains(raw, []byte(text)) || strings.Contains(string(plain), text) {
			return key
		}
	}
	return ""
}
