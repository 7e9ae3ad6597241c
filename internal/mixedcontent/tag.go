package mixedcontent

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// tag counts what a start tag loads. text is what stands between < and >.
func (s *Scanner) tag(text []byte) {
	z := html.NewTokenizer(bytes.NewReader(append(append([]byte{'<'}, text...), '>')))
	z.SetMaxBuf(2 * maxTag)
	if t := z.Next(); t != html.StartTagToken && t != html.SelfClosingTagToken {
		return
	}
	token := z.Token()
	attributes := map[string]string{}
	for _, a := range token.Attr {
		if _, again := attributes[a.Key]; !again { // browsers take the first
			attributes[a.Key] = a.Val
			s.attribute(token.Data, a.Key, strings.TrimSpace(a.Val), token.Attr)
		}
	}
	if token.Data == "meta" && strings.EqualFold(attributes["http-equiv"], "content-security-policy") && Upgrades(attributes["content"]) {
		s.upgraded = true
	}
}

// Upgrades reports whether a Content-Security-Policy has browsers ask for all http:// resources of the
// page over https.
func Upgrades(policy string) bool {
	return strings.Contains(strings.ToLower(policy), "upgrade-insecure-requests")
}

func (s *Scanner) attribute(tag, name, value string, all []html.Attribute) {
	switch name {
	case "srcset", "imagesrcset":
		for candidate := range strings.SplitSeq(value, ",") {
			url, _, _ := strings.Cut(strings.TrimSpace(candidate), " ")
			s.resource(tag, url, false)
		}
	case "style":
		style := css{found: &s.found}
		style.write([]byte(value + "\n"))
	case "href", "xlink:href":
		switch active, loads := link(tag, all); {
		case loads:
			s.resource(tag, value, active)
		}
	case "src":
		switch tag {
		case "script", "iframe", "frame", "embed", "track":
			s.resource(tag, value, true)
		case "img", "audio", "video", "source", "input":
			s.resource(tag, value, false)
		}
	case "data":
		if tag == "object" {
			s.resource(tag, value, true)
		}
	case "poster", "background":
		s.resource(tag, value, false)
	case "action", "formaction":
		s.resource(tag, value, true)
	}
}

func (s *Scanner) resource(tag, url string, active bool) {
	if len(url) >= len(scheme) && strings.EqualFold(url[:len(scheme)], scheme) {
		s.found.add(tag, url, active)
	}
}

// link reports whether a browser loads what such an element's href leads to, and whether that is active
// content. A base leads all relative URLs of the page to http.
func link(tag string, all []html.Attribute) (active, loads bool) {
	switch tag {
	case "use", "base":
		return true, true
	case "image":
		return false, true
	case "link":
	default:
		return false, false
	}
	for _, a := range all {
		if a.Key != "rel" {
			continue
		}
		for word := range strings.FieldsSeq(strings.ToLower(a.Val)) {
			switch word {
			case "stylesheet", "preload", "modulepreload", "prefetch", "manifest":
				return true, true
			case "icon", "apple-touch-icon", "mask-icon":
				loads = true
			}
		}
		break
	}
	return false, loads
}
