package objects

import (
	"bytes"
	"net/mail"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// notesTitle begins the message of a commit that holds notes.
const notesTitle = "Notes of mirror\n\n"

// NewNotes makes a commit without files that holds notes: text without an empty line.
func NewNotes(author mail.Address, now time.Time, text []byte) Commit {
	return emptyCommit(author, now, notesTitle+string(text)+"\n")
}

// ParseNotes returns what NewNotes was given, nil for another commit.
func ParseNotes(c Commit) []byte {
	_, text, found := bytes.Cut(c.Raw, []byte("\n\n"+notesTitle))
	if !found {
		return nil
	}
	return bytes.TrimSuffix(text, []byte("\n"))
}

// emptyCommit makes a commit without files and parents.
func emptyCommit(author mail.Address, now time.Time, message string) Commit {
	c := Commit{Tree: EmptyTree, When: now.UTC()}
	c.Raw = commitHead(author, now, EmptyTree, plumbing.ZeroHash)
	c.Raw = append(c.Raw, "\n"+message...)
	c.Hash = Name(plumbing.CommitObject, c.Raw)
	return c
}
