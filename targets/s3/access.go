package s3

import (
	"cmp"

	"mirror/targets"
)

// awsHost stands for the services of AWS, whose host depends on region and bucket.
const awsHost = "https://s3.amazonaws.com"

// metadataHost is where a machine of AWS gets its keys from.
const metadataHost = "http://169.254.169.254"

// Access is the service, the file of its authorities, and the metadata service where it may be asked for keys.
func (c Config) Access() []targets.Access {
	all := []targets.Access{{Key: "endpoint", Peer: cmp.Or(c.Endpoint, awsHost)}, {Key: "ca_bundle", File: c.CABundle}}
	if c.InstanceRole {
		all = append(all, targets.Access{Key: "instance_role", Peer: metadataHost})
	}
	return all
}
