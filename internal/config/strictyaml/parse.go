package strictyaml

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parse reads the text's only document. It returns nil when it found an error that leaves
// nothing to go on with.
func parse(p *problems) *yaml.Node {
	if !readable(p) {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(p.text), yaml.WithV4Defaults())
	if err != nil {
		p.errorAt(1, 1, "%v", err)
		return nil
	}
	doc := &yaml.Node{}
	if err := loader.Load(doc); errors.Is(err, io.EOF) {
		p.errorAt(1, 1, "the file is empty (hint: mirror init writes one)")
		return nil
	} else if err != nil {
		syntaxError(p, err)
		return nil
	}
	onlyOne(p, loader)
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		p.Errorf(doc, "no config in this file")
		return nil
	}
	return doc.Content[0]
}

// onlyOne refuses a second document.
func onlyOne(p *problems, loader *yaml.Loader) {
	second := &yaml.Node{}
	switch err := loader.Load(second); {
	case err == nil:
		p.Errorf(second, "a second document begins here; a config is one document")
	case !errors.Is(err, io.EOF):
		syntaxError(p, err)
	}
}

// readable refuses what the YAML reader refuses without saying where.
func readable(p *problems) bool {
	line, column := 1, 1
	for rest := p.text; len(rest) > 0; column++ {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			p.errorAt(line, column, "byte %#02x is not UTF-8 text", rest[0])
			return false
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			p.errorAt(line, column, "control character %U is not allowed", r)
			return false
		case r == '\r' && !bytes.HasPrefix(rest, []byte("\r\n")), r == 0x85, r == 0x2028, r == 0x2029:
			p.errorAt(line, column, "%U breaks a line for YAML and not for an editor; it is not allowed", r)
			return false
		case r == '\n':
			line, column = line+1, 0
		}
		rest = rest[size:]
	}
	return true
}

// syntaxError notes the YAML reader's error.
func syntaxError(p *problems, err error) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		p.errorAt(1, 1, "%v", err)
		return
	}
	line, column, message := load.Mark.Line, max(load.Mark.Column, 1), load.Message
	if load.ContextMark.Line > 0 && strings.Contains(message, "end of stream") {
		line, column = load.ContextMark.Line, load.ContextMark.Column // what was opened, not where the file ends
	}
	if load.ContextMsg != "" {
		message = load.ContextMsg + ": " + message
	}
	switch source := p.source(line); {
	case strings.HasPrefix(source[min(column-1, len(source)):], "\t"):
		message = "a tab stands here; YAML indents with spaces"
	case strings.Contains(source, "${"):
		message += " (hint: inside { } or [ ], put quotes around ${NAME})"
	}
	p.errorAt(line, column, "%s", message)
}
