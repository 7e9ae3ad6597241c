// Package kinds is the one list of the kinds of target. A new kind is a package below targets
// and a line here.
package kinds

import (
	"mirror/targets"
	"mirror/targets/dir"
	"mirror/targets/exec"
	"mirror/targets/git"
	"mirror/targets/oci"
	"mirror/targets/s3"
	"mirror/targets/ssh"
)

// All returns every kind of target that mirror.yaml may name.
func All() targets.Kinds {
	return targets.Kinds{git.Kind(), s3.Kind(), oci.Kind(), dir.Kind(), ssh.Kind(), exec.Kind()}
}
