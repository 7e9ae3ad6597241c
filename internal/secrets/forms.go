package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// formsOf lists the ways in which a server, a command or one of our own encoders may write a
// secret. Upper and lower case are not told apart, so that %2f and %2F are one form.
func formsOf(value string) []string {
	forms := []string{value}
	for _, undo := range []func(string) (string, error){url.QueryUnescape, url.PathUnescape} {
		if plain, err := undo(value); err == nil {
			forms = append(forms, plain)
		}
	}
	for _, plain := range slices.Clone(forms) {
		forms = append(forms, escaped(plain)...)
		forms = append(forms, inBase64(plain)...)
		forms = append(forms, hex.EncodeToString([]byte(plain)))
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// escaped lists the escapings that leave letters and digits alone.
func escaped(text string) []string {
	inURL := url.QueryEscape(text)
	return []string{
		inURL, url.QueryEscape(inURL), url.PathEscape(text), url.PathEscape(url.PathEscape(text)), percent(text), (&url.URL{Path: text}).EscapedPath(),
		inJSON(text, true), inJSON(text, false), inJSON(inJSON(text, false), false), inJSON(inJSON(text, true), false), strings.ReplaceAll(inJSON(text, false), "/", `\/`),
		quoted(text), quoted(quoted(text)), html.EscapeString(text), template.HTMLEscapeString(text), inTemplate(text), inXML(text),
		punctuation(text, "\\`*_{}[]<>()#+-.!|"), punctuation(text, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), punctuation(text, "\\`*_[]<>|"),
		strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text),
		strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(text),
		strings.ReplaceAll(text, `"`, `""`), strings.ReplaceAll(text, `'`, `'\''`),
	}
}

// inBase64 lists how the text reads inside anything that is encoded in base64: the characters
// that its bytes alone decide, at each of the three places where it may begin. So it is found
// behind a user name and a colon too, padded or not.
func inBase64(text string) []string {
	var forms []string
	for before := range 3 {
		padded := append(make([]byte, before), text...)
		from := (before*8 + 5) / 6
		to := len(padded) * 8 / 6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			whole := encoding.EncodeToString(padded)
			if from < to {
				forms = append(forms, whole[from:to], url.QueryEscape(whole[from:to]), strings.ReplaceAll(whole[from:to], "/", `\/`))
			}
		}
	}
	return forms
}

// percent encodes all but letters and digits.
func percent(text string) string {
	var out strings.Builder
	for i := range len(text) {
		if c := text[i]; isAlphanumeric(c) {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

func inJSON(text string, forHTML bool) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(forHTML)
	if encoder.Encode(text) != nil {
		return text
	}
	return out.String()[1 : out.Len()-2] // without the quotes and the line's end
}

func quoted(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// inTemplate is how html/template writes a text, which escapes the plus sign too.
func inTemplate(text string) string {
	return strings.ReplaceAll(template.HTMLEscapeString(text), "+", "&#43;")
}

func inXML(text string) string {
	var out bytes.Buffer
	if xml.EscapeText(&out, []byte(text)) != nil {
		return text
	}
	return out.String()
}

// punctuation puts a backslash before each of the characters.
func punctuation(text, characters string) string {
	var out strings.Builder
	for _, c := range text {
		if strings.ContainsRune(characters, c) {
			out.WriteByte('\\')
		}
		out.WriteRune(c)
	}
	return out.String()
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
