package compression

import (
	"strconv"
	"strings"
)

// maxMembers is how many members of Accept-Encoding are read.
const maxMembers = 64

// accepted is what a client says of codings.
type accepted struct {
	quality map[string]float64 // of those that it names, in lower case
	any     float64            // of those that it does not name; negative where it says nothing
}

// parseAccept reads the values of Accept-Encoding. A member that cannot be read is left out.
func parseAccept(values []string) accepted {
	a := accepted{quality: map[string]float64{}, any: -1}
	members := 0
	for _, value := range values {
		for member := range strings.SplitSeq(value, ",") {
			if members++; members > maxMembers {
				return a
			}
			name, parameters, _ := strings.Cut(member, ";")
			name = strings.ToLower(strings.TrimSpace(name))
			q, ok := quality(parameters)
			switch {
			case name == "" || !ok:
			case name == "*":
				a.any = q
			case name == "x-gzip":
				a.quality[string(Gzip)] = q
			default:
				a.quality[name] = q
			}
		}
	}
	return a
}

// quality reads the q of a member: 1 where there is none.
func quality(parameters string) (q float64, ok bool) {
	for parameter := range strings.SplitSeq(parameters, ";") {
		key, value, found := strings.Cut(strings.TrimSpace(parameter), "=")
		if !found || !strings.EqualFold(strings.TrimSpace(key), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return q, err == nil && q >= 0 && q <= 1
	}
	return 1, true
}

// of returns how much a client wants a coding; 0 is not at all.
func (a accepted) of(c Coding) float64 {
	if q, ok := a.quality[string(c)]; ok {
		return q
	}
	return max(0, a.any)
}

// identity returns how much a client wants a body without a coding: it takes one unless it says that it does not.
func (a accepted) identity() (q float64, named bool) {
	if q, ok := a.quality["identity"]; ok {
		return q, true
	}
	if a.any == 0 {
		return 0, false
	}
	return 1, false
}

// Choice is what to send to a client.
type Choice struct {
	Coding   Coding // "" for a body without a coding
	Identity bool   // a body without a coding is acceptable too
	None     bool   // nothing that is offered is acceptable
}

// Choose picks one of the offered codings, which are in the order of preference, by the values of Accept-Encoding.
func Choose(values []string, offered []Coding) Choice {
	if len(values) == 0 {
		return Choice{Identity: true}
	}
	a := parseAccept(values)
	plain, named := a.identity()
	choice := Choice{Identity: plain > 0}
	best := 0.0
	for _, c := range offered {
		if q := a.of(c); q > best && !(named && plain > q) {
			choice.Coding, best = c, q
		}
	}
	choice.None = choice.Coding == "" && !choice.Identity
	return choice
}
