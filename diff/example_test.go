package diff_test

import (
	"crypto/sha256"
	"fmt"

	"mirror/diff"
	"mirror/site"
)

func file(path, text string) site.File {
	return site.File{Path: path, Size: int64(len(text)), Digest: sha256.Sum256([]byte(text))}
}

// A plan is a difference to remove.
func ExampleManifests() {
	held := site.Manifest{file("index.html", "old"), file("old.html", "gone"), file("same.html", "same")}
	wanted := site.Manifest{file("index.html", "new"), file("new.html", "new"), file("same.html", "same")}
	c := diff.Manifests(held, wanted)
	fmt.Println("add", c.Add, "change", c.Change, "delete", c.Delete, "same", c.Same)
	// Output: add [new.html] change [index.html] delete [old.html] same 1
}

// A check is a difference hoped to be empty: Judge says what is wrong with one answer.
func ExampleJudge() {
	want := diff.Expectation{File: file("index.html", "<p>home")}
	served := file("index.html", "<p>parked")
	d, agrees := diff.Judge(want, site.Observation{Path: "index.html", Status: 200, Digest: served.Digest, Size: served.Size})
	fmt.Println(agrees, d.Kind)
	_, agrees = diff.Judge(want, site.Observation{Path: "index.html", Status: 200, Digest: want.File.Digest, Size: want.File.Size,
		Header: map[string][]string{"Content-Type": {"text/html"}}})
	fmt.Println(agrees)
	// Output:
	// false altered
	// true
}

// Of several states the worst is shown first.
func ExampleWorst() {
	fmt.Println(diff.Worst(diff.Agrees, diff.Drifts, diff.Agrees))
	// Output: drift
}
