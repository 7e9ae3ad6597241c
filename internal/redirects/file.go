package redirects

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of a file.
const (
	MaxFile  = 1 << 20 // bytes
	maxRules = 10_000
)

// Parse reads a file _redirects: in each line from, to and, where it is not 301, the status. Lines that
// are no such redirects are left out, with why: rewrites, patterns, conditions.
// See https://docs.netlify.com/routing/redirects/ and https://developers.cloudflare.com/pages/configuration/redirects/.
func Parse(text string) (rules []Rule, left []string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		fields := strings.Fields(line)
		for i, f := range fields { // a comment; # inside a word is a fragment
			if strings.HasPrefix(f, "#") {
				fields = fields[:i]
				break
			}
		}
		if len(fields) == 0 {
			continue
		}
		r, err := parseLine(fields)
		if err == nil && len(rules) == maxRules {
			err = fmt.Errorf("is beyond the first %d rules", maxRules)
		}
		if err != nil {
			left = append(left, fmt.Sprintf("line %d: %q %v", number, fields[0], err))
			continue
		}
		r.Line = number
		rules = append(rules, r)
	}
	return rules, left
}

func parseLine(fields []string) (Rule, error) {
	if len(fields) < 2 || len(fields) > 3 {
		return Rule{}, fmt.Errorf("has %d words, and a redirect has two or three: from, to, status", len(fields))
	}
	r := Rule{From: fields[0], To: fields[1], Status: Usual}
	if len(fields) == 3 {
		status, err := strconv.Atoi(strings.TrimSuffix(fields[2], "!"))
		if err != nil || !IsStatus(status) {
			return Rule{}, fmt.Errorf("has %q where the status of a redirect stands: 301, 302, 303, 307 or 308", fields[2])
		}
		r.Status = status
	}
	return r, nil
}
