package s3

import (
	"cmp"

	"mirror/targets"
)

// awsHost stands for the services of AWS, whose host depends on region and bucket.
const awsHost = "https://s3.amazonaws.com"

// Access is the service.
func (c Config) Access() []targets.Access {
	return []targets.Access{{Key: "endpoint", Peer: cmp.Or(c.Endpoint, awsHost)}}
}
