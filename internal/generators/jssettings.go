package generators

import (
	"slices"
	"strings"
)

// jsReader lists what a JavaScript, TypeScript or JSON source sets. It evaluates nothing.
type jsReader struct {
	source string
	tokens []token
	consts map[string]setting // by name: constants with a literal value
	open   []frame
	found  settings
}

// frame is an open bracket.
type frame struct {
	kind    byte
	label   string // key, or = and the variable, whose value has the bracket
	pending string // key whose value is being read
}

// scriptSettings lists the keys that a JavaScript, TypeScript or JSON source sets: properties of objects,
// assignments, and the first argument of calls, as name().
func scriptSettings(source string) settings {
	r := &jsReader{source: source, tokens: tokens(source), consts: map[string]setting{}, open: []frame{{}}}
	for i := range r.tokens {
		r.constant(i)
	}
	for i := range r.tokens {
		r.read(i)
	}
	return r.found
}

// kind returns the kind of the token at i, 0 where there is none.
func (r *jsReader) kind(i int) byte {
	if i < 0 || i >= len(r.tokens) {
		return 0
	}
	return r.tokens[i].kind
}

// constant notes a declaration: const name = 'literal', with or without a type.
func (r *jsReader) constant(i int) {
	if r.tokens[i].text != "const" || r.kind(i) != 'a' || r.kind(i+1) != 'a' {
		return
	}
	at := i + 2
	if r.kind(at) == ':' {
		at += 2
	}
	if r.kind(at) == '=' {
		if value := r.value(at + 1); value.literal {
			r.consts[r.tokens[i+1].text] = value
		}
	}
}

func (r *jsReader) read(i int) {
	t, top := r.tokens[i], &r.open[len(r.open)-1]
	switch t.kind {
	case '{', '[', '(':
		r.open = append(r.open, frame{kind: t.kind, label: top.pending})
		r.call(i)
	case '}', ']', ')':
		if len(r.open) > 1 {
			r.open = r.open[:len(r.open)-1]
		}
	case ',', ';':
		top.pending = ""
	case '=':
		if chain := r.chain(i - 1); chain != "" {
			top.pending = "=" + chain
			r.note(top.pending, r.value(i+1))
		}
	case 'a', 's':
		r.property(i, top)
	}
}

// property notes key: value and, of a constant, the short form of it.
func (r *jsReader) property(i int, top *frame) {
	before := r.kind(i - 1)
	if top.kind != '{' || before != '{' && before != ',' {
		return
	}
	switch key := r.tokens[i].text; r.kind(i + 1) {
	case ':':
		top.pending = key
		r.note(key, r.value(i+2))
	case ',', '}':
		if value, ok := r.consts[key]; ok && r.kind(i) == 'a' {
			r.note(key, value)
		}
	}
}

// call notes name('argument').
func (r *jsReader) call(i int) {
	if r.kind(i) == '(' && r.kind(i-1) == 'a' && (r.kind(i+1) == 's' || r.kind(i+1) == 'x') {
		r.found = append(r.found, r.at(r.tokens[i-1].text+"()", r.value(i+1)))
	}
}

// chain returns the names before an assignment: config.build.outDir.
func (r *jsReader) chain(i int) string {
	var names []string
	for r.kind(i) == 'a' {
		names = append(names, r.tokens[i].text)
		if r.kind(i-1) != '.' {
			break
		}
		i -= 2
	}
	if r.kind(i-1) == ':' { // a variable with a type
		return r.chain(i - 2)
	}
	slices.Reverse(names)
	return strings.Join(names, ".")
}

// note adds a setting under the labels of the open brackets.
func (r *jsReader) note(key string, value setting) {
	var path []string
	for _, f := range r.open {
		if f.label != "" {
			path = append(path, f.label)
		}
	}
	if len(path) > 0 {
		key = strings.TrimPrefix(key, "=")
	}
	r.found = append(r.found, r.at(strings.Join(append(path, key), "."), value))
}

func (r *jsReader) at(path string, value setting) setting {
	value.path = path
	return value
}

// value reads the value that begins at a token and ends before the next comma or closing bracket.
func (r *jsReader) value(i int) setting {
	if i >= len(r.tokens) {
		return setting{}
	}
	end, depth := i, 0
	for ; end < len(r.tokens); end++ {
		kind := r.kind(end)
		if depth == 0 && (strings.IndexByte(",;})]", kind) >= 0 || end > i && r.newStatement(end)) {
			break
		}
		switch kind {
		case '{', '[', '(':
			depth++
		case '}', ']', ')':
			depth--
		}
	}
	s := setting{line: 1 + strings.Count(r.source[:r.tokens[i].start], "\n")}
	if end > i {
		s.text = shown(r.source[r.tokens[i].start:r.tokens[end-1].end])
	}
	plain := end == i+1 || r.kind(i+1) == 'a' && (r.tokens[i+1].text == "as" || r.tokens[i+1].text == "satisfies")
	switch {
	case plain && r.kind(i) == 's':
		s.text, s.literal = r.tokens[i].text, true
	case end == i+1 && r.kind(i) == 'a':
		if known, ok := r.consts[r.tokens[i].text]; ok {
			return known
		}
	}
	return s
}

// newStatement reports whether a token begins a statement on a line of its own, where no semicolon ended the
// one before.
func (r *jsReader) newStatement(i int) bool {
	switch r.tokens[i].text {
	case "const", "let", "var", "export", "import", "module", "return", "function", "if", "for":
		return r.kind(i) == 'a' && strings.Contains(r.source[r.tokens[i-1].end:r.tokens[i].start], "\n")
	}
	return false
}
