package git

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"mirror/targets"
	"mirror/targets/git/internal/wire"
)

// objectName finds what may be the name of a blob in a host's words: GitLab and git's own fsck name
// blobs, which say nothing to people.
var objectName = regexp.MustCompile(`\b[0-9a-f]{8,40}\b`)

// aboutContent finds the words of hosts that refuse what is in a push, whatever it is pushed to: GitHub's
// GH001 (a large file) and GH013 (a secret), GitLab's and Gitea's limits, receive.maxInputSize and
// receive.fsckObjects of git.
var aboutContent = regexp.MustCompile(`(?i)\bGH0(01|13)\b|file size limit|(size|limit)s? (of|exceed)|exceeds? .*(limit|size)|(too|are) large\b|large files? |larger than|maximum .*size|push cannot contain secrets|secrets? detected|\bfsck\b|quota|virus|malware`)

// refusal explains a push that the host refused: with the names of the files in place of those of
// their blobs. Where the host refuses a file, the error is a *targets.RefusedError, and content is
// true: the same objects would be refused under every ref.
func (sh shipment) refusal(refused *wire.RejectedError) (explained error, content bool) {
	paths := sh.pathsByBlob()
	found := ""
	named := refused.Naming(func(text string) string {
		return objectName.ReplaceAllStringFunc(text, func(name string) string {
			p, ok := pathOf(paths, name)
			if !ok {
				return name
			}
			found = p
			return fmt.Sprintf("%q", p)
		})
	})
	if found == "" && !aboutContent.MatchString(refused.Words()) {
		return named, false
	}
	if found == "" {
		found = sh.mentioned(refused.Said())
	}
	return &targets.RefusedError{
		Path: found, Reason: "the host does not take it: " + named.Error(),
		Hint: "serve it from elsewhere, or list it under site.exclude",
	}, true
}

// pathsByBlob lists the names of the blobs in order, each with the first path that has it.
func (sh shipment) pathsByBlob() []namedBlob {
	var all []namedBlob
	for _, p := range slices.Sorted(maps.Keys(sh.want.files)) {
		all = append(all, namedBlob{sh.want.files[p].Blob.String(), p})
	}
	slices.SortStableFunc(all, func(a, b namedBlob) int { return strings.Compare(a.blob, b.blob) })
	return all
}

type namedBlob struct{ blob, path string }

// pathOf returns the path of the one blob whose name begins so.
func pathOf(all []namedBlob, name string) (string, bool) {
	i, _ := slices.BinarySearchFunc(all, name, func(b namedBlob, name string) int { return strings.Compare(b.blob, name) })
	if i == len(all) || !strings.HasPrefix(all[i].blob, name) {
		return "", false
	}
	unique := i+1 == len(all) || !strings.HasPrefix(all[i+1].blob, name) || all[i+1].blob == all[i].blob
	return all[i].path, unique
}

// mentioned is the file that a host's words name, the longest where it names several; "" for none.
func (sh shipment) mentioned(said string) (found string) {
	for p := range sh.want.files {
		if len(p) > len(found) && containsWord(said, p) {
			found = p
		}
	}
	return found
}

// containsWord reports whether text has a path as a word of its own, which a full stop may follow.
func containsWord(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(word)
		if (start == 0 || !inPath(text[start-1])) && (end == len(text) || !inPath(text[end]) || text[end] == '.') {
			return true
		}
		from = end
	}
}

func inPath(c byte) bool {
	return c == '/' || c == '_' || c == '-' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// joined is the refusal of a push under two refs, in which the host's words stand once.
func joined(first, second error) error {
	a, okA := errors.AsType[*wire.RejectedError](first)
	b, okB := errors.AsType[*wire.RejectedError](second)
	if !okA || !okB {
		return fmt.Errorf("%w; nor as a branch: %w", first, second)
	}
	return a.With(b)
}
