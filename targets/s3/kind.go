package s3

import (
	_ "embed" // config.go
	"mime"
	"net/http"

	"mirror/targets"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/provider"
)

// configSource has the descriptions of the keys.
//
//go:embed config.go
var configSource string

// Kind is a bucket that its service serves as a website.
func Kind() targets.Kind {
	return targets.Kind{
		Name:            "s3",
		Config:          Config{},
		Source:          configSource,
		Open:            New,
		Traits:          targets.Traits{CompareAndSwap: true},
		Place:           placeOf,
		ExpectedHeaders: expectedHeaders,
		StoredSecrets:   storedSecrets,
		OriginHint:      originHint,
		Private: &targets.PrivateFile{
			Path: documents.StatePath, Type: documents.StateType,
			Hint: "deny s3:GetObject on .mirror/* to visitors in the bucket's policy; docs/s3-services.md shows one",
		},
		Sample: targets.Sample{
			Name:  "bucket",
			About: "A bucket of any S3-compatible service that serves it as a website.",
			Keys:  []targets.SampleKey{{Name: "bucket", Value: "BUCKET", Placeholder: true}, {Name: "prefix"}, {Name: "region", Value: "us-east-1"}},
			Asked: []targets.SampleKey{{Name: "endpoint"}},
			Options: `    # endpoint: https://s3.example.com
    # path_style: true
    # headers: [{match: "assets/**", cache_control: "public, max-age=31536000, immutable"}]
`,
			Origin: "https://BUCKET.s3-website.us-east-1.example.com/",
			Usual:  true,
		},
	}
}

func placeOf(decode targets.Decode) (targets.Place, error) {
	var c Config
	err := decode(&c)
	return targets.Place{ID: provider.WithoutBucket(c.Endpoint, c.Bucket) + " " + c.Bucket + " " + c.Prefix, Key: "bucket"}, err
}

// expectedHeaders are those that the config's rules set.
func expectedHeaders(decode targets.Decode) (targets.HeaderFunc, error) {
	var c Config
	if err := decode(&c); err != nil || len(c.Headers) == 0 {
		return nil, err
	}
	return c.Header, nil
}

// originHint knows how the REST endpoint of a bucket answers for a folder: in XML, and never with its
// index.html.
func originHint(_ targets.Decode, a targets.OriginAnswer) string {
	media, _, _ := mime.ParseMediaType(a.Type) // "" where there is none
	if a.Location != nil || !a.Folders && media != "application/xml" && media != "text/xml" {
		return ""
	}
	if a.NoIndex && a.Status == http.StatusForbidden {
		return "visitors may not read the bucket: let its policy, or acl, allow s3:GetObject to all"
	}
	if a.NoIndex {
		return ""
	}
	return "this looks like the REST endpoint of the bucket, which serves no index.html for a folder: " +
		"set origin.url to the bucket's website endpoint, or origin.index to false"
}
