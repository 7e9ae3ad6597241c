package targets_test

import (
	"fmt"

	"mirror/targets"
)

// What other packages know about a kind of target they learn from its entry in the list of kinds,
// never from its name.
func ExampleKinds_Find() {
	kinds := targets.Kinds{{Name: "ftp", Traits: targets.Traits{Atomic: false}}, {Name: "disk", Traits: targets.Traits{Atomic: true}}}
	disk, ok := kinds.Find("disk")
	fmt.Println(ok, disk.Traits.Atomic, kinds.Names())
	// Output: true true [disk ftp]
}

// A target that can never hold a file says which, why, and the way out.
func ExampleRefusedError() {
	err := &targets.RefusedError{Path: "a/CON", Reason: "is a reserved name", Hint: "rename it"}
	fmt.Println(err)
	// Output: "a/CON": is a reserved name (hint: rename it)
}
