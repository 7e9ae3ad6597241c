package pages

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"regexp"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/transform"
)

// prescan is how many bytes of a page may name its encoding (HTML standard, "prescan a byte stream").
const prescan = 1024

// decoded reads a page of HTML as UTF-8. Its encoding is what a byte order mark, the HTTP header, an XML
// declaration or a meta element says, in this order; UTF-8 where none says anything.
func decoded(r io.Reader, contentType string) io.Reader {
	in := bufio.NewReaderSize(r, prescan)
	start, _ := in.Peek(prescan) // what can be had: reading goes on to the error
	if label := declaredInXML(start); label != "" && !hasCharset(contentType) && !hasMark(start) {
		contentType = mime.FormatMediaType("text/html", map[string]string{"charset": label})
	}
	encoding, name, certain := charset.DetermineEncoding(start, contentType)
	if isDefault := !certain && name == "windows-1252" && !bytes.Contains(bytes.ToLower(start), []byte("charset")); isDefault && isASCII(start) {
		return in // nothing is said, and what comes later is most likely UTF-8
	}
	return transform.NewReader(in, encoding.NewDecoder())
}

// decodedCSS reads a style sheet as UTF-8 (CSS Syntax, section 3.2).
func decodedCSS(r io.Reader, contentType string) io.Reader {
	in := bufio.NewReaderSize(r, prescan)
	start, _ := in.Peek(prescan)
	if rest, ok := bytes.CutPrefix(start, []byte(`@charset "`)); ok && !hasCharset(contentType) && !hasMark(start) {
		label, _, _ := bytes.Cut(rest, []byte(`"`))
		contentType = mime.FormatMediaType("text/css", map[string]string{"charset": string(label)})
	}
	if !hasCharset(contentType) && !hasMark(start) {
		return in
	}
	encoding, _, _ := charset.DetermineEncoding(start, contentType)
	return transform.NewReader(in, encoding.NewDecoder())
}

var xmlDeclaration = regexp.MustCompile(`^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

func declaredInXML(start []byte) string {
	if m := xmlDeclaration.FindSubmatch(start); m != nil {
		return string(m[1])
	}
	return ""
}

func hasCharset(contentType string) bool {
	_, params, err := mime.ParseMediaType(contentType)
	return err == nil && params["charset"] != "" || err != nil && strings.Contains(strings.ToLower(contentType), "charset=")
}

func hasMark(start []byte) bool {
	return bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) || hasUTF16Mark(start)
}

// hasUTF16Mark reports whether a text begins with the byte order mark of UTF-16 or UTF-32.
func hasUTF16Mark(start []byte) bool {
	return bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff"))
}

func isASCII(text []byte) bool {
	return bytes.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) < 0
}
