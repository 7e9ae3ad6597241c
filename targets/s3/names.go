package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// longSegment is the length in bytes from which on services that keep objects as files
// refuse a part of a path.
const longSegment = 200

// tryNames finds out, before anything is visible, whether the service takes the odd ones
// among the names that a commit would add: an empty object of that name is put below
// .mirror/try/, listed and deleted.
func (t *Target) tryNames(ctx context.Context, want documents.Entries, c comparison) error {
	odd := oddNames(want, c.Add)
	for _, path := range slices.Concat(c.Add, c.kept) { // a file here may be a folder of what is kept
		odd = append(odd, mixed(want, c.kept, path)...)
	}
	slices.Sort(odd)
	odd = slices.Compact(odd)
	if len(odd) == 0 {
		return nil
	}
	folder := documents.ProbeFolder + documents.NewNonce() + "/"
	tried := make([]string, 0, len(odd))
	defer func() {
		if err := t.bucket.Remove(context.WithoutCancel(ctx), tried); err != nil {
			t.log.Warn("probes are left", "path", t.bucket.Prefix+folder, "err", err)
		}
	}()
	odd = slices.DeleteFunc(odd, func(path string) bool { return len(t.bucket.Prefix+folder+path) > documents.MaxKey })
	for _, path := range odd {
		_, err := t.bucket.Put(ctx, folder+path, nil, bucket.Staged, bucket.Condition{})
		if api := (smithy.APIError)(nil); errors.As(err, &api) && bucket.Status(err)/100 == 4 {
			return refusedName(path, api.ErrorCode())
		}
		if err != nil {
			return err
		}
		tried = append(tried, folder+path)
	}
	listed, err := t.bucket.List(ctx, folder)
	if err != nil {
		return err
	}
	for _, path := range odd {
		if !slices.ContainsFunc(listed, func(o bucket.Object) bool { return o.Path == folder+path }) {
			return refusedName(path, "it came back under another name")
		}
	}
	return nil
}

func refusedName(path, why string) error {
	return &targets.RefusedError{
		Path: path, Reason: fmt.Sprintf("the service refuses this name: %s", why),
		Hint: "rename it, or use a service without this limit",
	}
}

// oddNames picks the names to try: a file that is also a folder of others, with one file
// in it; long parts; and for each unusual character the first name that has it.
func oddNames(want documents.Entries, added []string) []string {
	var odd []string
	seen := map[rune]bool{}
	for _, path := range added {
		if parent, ok := fileAbove(want, path); ok {
			odd = append(odd, parent, path)
			continue
		}
		if hasLongSegment(path) || hasNewRune(path, seen) {
			odd = append(odd, path)
		}
	}
	for path := range want {
		if parent, ok := fileAbove(want, path); ok && slices.Contains(added, parent) {
			odd = append(odd, parent, path)
		}
	}
	slices.Sort(odd)
	return slices.Compact(odd)
}

// fileAbove returns the file whose path is a folder of another file's.
func fileAbove(want documents.Entries, path string) (string, bool) {
	for i := range len(path) {
		if path[i] != '/' {
			continue
		}
		if _, ok := want[path[:i]]; ok {
			return path[:i], true
		}
	}
	return "", false
}

// mixed returns a path and the one that it has for a folder, where one of them is wanted and
// the other kept.
func mixed(want documents.Entries, kept []string, path string) []string {
	_, ours := want[path]
	for i := range len(path) {
		if path[i] != '/' {
			continue
		}
		parent := path[:i]
		if _, is := want[parent]; is && !ours {
			return []string{parent, path}
		}
		if _, is := slices.BinarySearch(kept, parent); is && ours {
			return []string{parent, path}
		}
	}
	return nil
}

func hasLongSegment(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if len(part) > longSegment {
			return true
		}
	}
	return false
}

// hasNewRune reports whether a path has an unusual ASCII character, or is the first to
// have one that is not ASCII.
func hasNewRune(path string, seen map[rune]bool) bool {
	odd := false
	for _, r := range path {
		if r > 0x7f {
			r = 0x80
		}
		if strings.ContainsRune("\\%?#+:*<>|\"\x80", r) || r == 0x80 {
			odd = odd || !seen[r]
			seen[r] = true
		}
	}
	return odd
}
