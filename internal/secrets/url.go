package secrets

import (
	"encoding/base64"
	"net"
	"net/url"
	"strings"
)

// AddUserinfo makes the password in a URL known, or the user name where it stands alone and so
// is the secret: over ssh it is the name of an account. The rest of the URL is none.
func (s *Scrubber) AddUserinfo(source, address string) {
	u, err := url.Parse(address)
	if err != nil {
		s.addUnparsed(source, address)
		return
	}
	if u.User == nil {
		return
	}
	password, has := u.User.Password()
	s.Add(source, password)
	if scheme := strings.ToLower(u.Scheme); scheme == "ssh" || scheme == "sftp" {
		return
	}
	if user := u.User.Username(); !has || password == "" || looksRandom(user) && len(user) >= piece {
		s.Add(source, user)
	}
}

// addUnparsed makes known what stands before the host of something that is not a URL.
func (s *Scrubber) addUnparsed(source, address string) {
	_, rest, found := strings.Cut(address, "://")
	if !found {
		return
	}
	authority, _, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		s.Add(source, authority[:at])
		_, password, _ := strings.Cut(authority[:at], ":")
		s.Add(source, password)
	}
}

// AddURL makes known what is secret in the URL of a webhook or of a service that sends
// messages: the user name and password, and whatever in the path, the query and the fragment
// can be a token. The host of a webhook is none.
func (s *Scrubber) AddURL(source, address string) {
	u, err := url.Parse(address)
	if err != nil {
		_, rest, _ := strings.Cut(address, "://")
		s.addUnparsed(source, address)
		s.addParts(source, rest)
		return
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.Add(source, password)
		if user := u.User.Username(); isToken(user) || password == "" {
			s.Add(source, user)
		}
	}
	if u.Scheme != "http" && u.Scheme != "https" && !strings.Contains(u.Host, ".") && looksRandom(u.Host) && net.ParseIP(u.Hostname()) == nil {
		s.Add(source, u.Host)
	}
	secret := s.addParts(source, u.EscapedPath()) || s.addParts(source, u.Opaque)
	if path := strings.TrimRight(u.EscapedPath(), "/"); secret || len(path) >= piece {
		s.Add(source, path)
	}
	for _, values := range u.Query() {
		for _, value := range values {
			if isToken(value) || len(value) >= shortWord && !strings.ContainsAny(value, ".@") {
				s.Add(source, value)
			}
		}
	}
	if u.RawQuery != "" && len(u.RawQuery) >= piece {
		s.Add(source, u.RawQuery)
	}
	s.addParts(source, u.Fragment)
}

// addParts makes those segments of a path known that can be tokens, and reports whether there
// was one.
func (s *Scrubber) addParts(source, path string) (any bool) {
	for _, part := range strings.FieldsFunc(path, func(c rune) bool { return strings.ContainsRune("/:@?&=#;", c) }) {
		if plain, err := url.PathUnescape(part); err == nil && isToken(plain) {
			s.Add(source, part)
			any = true
		}
	}
	return any
}

// isToken reports whether a part of a URL can be a token: it is long, or no plain word.
func isToken(text string) bool {
	switch {
	case len(text) < Shortest || strings.Contains(text, "."):
		return false
	case len(text) >= 20:
		return true
	}
	return len(text) >= shortWord && (strings.ContainsAny(text, "0123456789") || strings.ToLower(text) != text)
}

// AddAuthorization makes known what a request's Authorization header shows of us: a bearer
// token, or the password of basic authentication.
func (s *Scrubber) AddAuthorization(source, header string) {
	scheme, value, _ := strings.Cut(header, " ")
	switch strings.ToLower(scheme) {
	case "basic":
		if plain, err := base64.StdEncoding.DecodeString(value); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			s.Add(source, password)
		}
	case "bearer", "token":
		s.Add(source, value)
		for _, part := range strings.Split(value, ".") { // a JSON web token has three
			if isToken(part) {
				s.Add(source, part)
			}
		}
	}
}
