package s3

import (
	"mirror/diff"
	"mirror/targets/grace"
	"mirror/targets/s3/internal/verified"
)

// comparison is what separates the listed objects from the wanted files.
type comparison struct {
	diff.Changes
	known map[string]verified.Content // what a listed path holds, as far as it is certain
	kept  []string                    // what is left as it is
	grace grace.List                  // the files of earlier releases among them
	ended []string                    // files of earlier releases that are to go now
	alive verified.FactSet            // the recorded facts that vouch for what stays
	fresh []verified.Fact             // facts about what stays that no record has
}
