package diff

import (
	"fmt"
	"net/textproto"
	"strings"
)

// JudgeHeader compares what each origin sends as one header of a page. sent holds the values by
// origin, and want what the config promises for some: "" for the others, which are to send
// what most send, and of equal numbers what the first of them sends. Origins that are not to be
// judged are nil. It returns a detail for each origin, "" where it agrees.
func JudgeHeader(name string, origins []string, sent []*string, want []string) []string {
	details := make([]string, len(sent))
	usual, from := most(sent, want)
	for i, value := range sent {
		switch {
		case value == nil:
		case want[i] != "" && !sameValue(*value, want[i]):
			details[i] = fmt.Sprintf("%s is %s, configured is %s", name, quote(*value), quote(want[i]))
		case want[i] == "" && from >= 0 && !sameValue(*value, usual):
			details[i] = fmt.Sprintf("%s is %s, at %s it is %s", name, quote(*value), origins[from], quote(usual))
		}
	}
	return details
}

// most returns the value that most origins without a promise send, and the first that does.
func most(sent []*string, want []string) (value string, from int) {
	count, best := map[string]int{}, 0
	for i, v := range sent {
		if v != nil && want[i] == "" {
			count[normal(*v)]++
		}
	}
	from = -1
	for i, v := range sent {
		if v != nil && want[i] == "" && count[normal(*v)] > best {
			value, from, best = *v, i, count[normal(*v)]
		}
	}
	return value, from
}

func sameValue(a, b string) bool { return normal(a) == normal(b) }

// normal takes out of a header's value what means nothing: letters' case and the blanks
// around commas and semicolons (RFC 9110, section 5.6).
func normal(value string) string {
	value = strings.ToLower(textproto.TrimString(value))
	var b strings.Builder
	for i, part := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' }) {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, sub := range strings.Split(part, ";") {
			if j > 0 {
				b.WriteByte(';')
			}
			b.WriteString(textproto.TrimString(sub))
		}
	}
	return b.String()
}

func quote(value string) string {
	if value == "" {
		return "not sent"
	}
	return fmt.Sprintf("%q", value)
}
