package git

import (
	"errors"
	"net/mail"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/internal/netname"
	"mirror/targets"
	"mirror/targets/git/internal/wire"
)

// Validate refuses what git, or the host of the repository, cannot take.
func (c Config) Validate(wrong targets.Wrong) {
	check := func(key string, err error) {
		if err != nil {
			wrong(key, err.Error())
		}
	}
	if c.URL != "" {
		check("url", c.validateURL())
	}
	_, err := parseBranch(c.Branch)
	check("branch", err)
	_, err = parseAuthor(c.Author)
	check("author", err)
	_, err = parseHistory(c.History, c.Orphan)
	check("history", err)
	_, err = parseRescue(c.Rescue)
	check("rescue", err)
	if c.CNAME != "" && !domainName.MatchString(strings.TrimSpace(c.CNAME)) {
		wrong("cname", "is not a domain name (hint: blog.example.com)")
	}
}

// validateURL refuses an address with which no repository can be reached, and one over which a secret
// would travel in clear.
func (c Config) validateURL() error {
	place, err := wire.ParseURL(c.URL)
	if err != nil {
		return err
	}
	if place.Protocol == "http" && (c.TokenEnv != "" || place.Password != "") && !netname.IsLoopback(place.Host) {
		return errors.New("would send the credentials in clear (hint: https)")
	}
	return nil
}

// domainName has at least two labels (RFC 1035, section 2.3.1; digits may begin a label, RFC 1123).
var domainName = regexp.MustCompile(`^([\pL\pN]([\pL\pN-]{0,61}[\pL\pN])?\.)+[\pL\pN]([\pL\pN-]{0,61}[\pL\pN])?\.?$`)

func parseBranch(name string) (plumbing.ReferenceName, error) {
	if name == "" {
		name = defaultBranch
	}
	ref := plumbing.NewBranchReferenceName(strings.TrimPrefix(name, "refs/heads/"))
	if err := ref.Validate(); err != nil {
		return "", errors.New("is not a branch name that git allows (hint: gh-pages)")
	}
	return ref, nil
}

func parseAuthor(author string) (mail.Address, error) {
	if author == "" {
		author = defaultAuthor
	}
	a, err := mail.ParseAddress(author)
	if err != nil || strings.ContainsAny(a.Name+a.Address, "<>\n\x00") {
		return mail.Address{}, errors.New("is not an author (hint: Name <name@example.com>)")
	}
	if a.Name == "" {
		a.Name = a.Address
	}
	return *a, nil
}

// What the key history may say.
const (
	keepHistory   = "keep"
	squashHistory = "squash"
	lastHistory   = "last " // and a number
	maxLast       = 1000
)

var errHistory = errors.New("is not a history (hint: keep, squash, or last 20 for the 20 latest commits)")

// parseHistory returns how many commits the branch may have, 0 for all of them.
func parseHistory(text string, orphan bool) (int, error) {
	switch {
	case orphan && text != "" && text != squashHistory:
		return 0, errors.New("cannot stand beside orphan: true, which means squash")
	case orphan, text == squashHistory:
		return 1, nil
	case text == "", text == keepHistory:
		return 0, nil
	}
	number, ok := strings.CutPrefix(text, lastHistory)
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if !ok || err != nil || n < 1 || n > maxLast {
		return 0, errHistory
	}
	return n, nil
}
