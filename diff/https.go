package diff

import (
	"fmt"
	"slices"
	"strings"
)

// HTTPSNotes tells in what the https origins differ that visitors notice and no page shows: HSTS, the answer at
// http://, and mixed content. None of it is drift. It says nothing of origins that could not be seen.
func HTTPSNotes(origins []OriginVerdict) (notes []string) {
	seen := slices.DeleteFunc(slices.Clone(origins), func(o OriginVerdict) bool { return o.Facts.TLS == "" || o.Err != nil })
	answered := slices.DeleteFunc(slices.Clone(seen), func(o OriginVerdict) bool { return o.Facts.Plain == nil })
	for _, of := range []struct {
		what    string
		origins []OriginVerdict
		value   func(OriginVerdict) string
	}{
		{"HSTS", seen, hstsOf},
		{"the answer at http://", answered, func(o OriginVerdict) string { return o.Facts.Plain.Said(o.URL) }},
		{"mixed content", seen, mixedOf},
	} {
		if text := differences(of.origins, of.value); text != "" {
			notes = append(notes, of.what+" differs: "+text)
		}
	}
	return notes
}

func hstsOf(o OriginVerdict) string {
	if o.Facts.HSTS == "" {
		return "none"
	}
	return strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(o.Facts.HSTS, ";", "; ")), " "))
}

func mixedOf(o OriginVerdict) string {
	switch n := o.Facts.Mixed; n {
	case 0:
		return "none"
	case 1:
		return "1 http:// resource"
	default:
		return fmt.Sprintf("%d http:// resources", n)
	}
}

// differences lists the values that origins have, with the names of those that have it; "" where all have
// the same one.
func differences(origins []OriginVerdict, value func(OriginVerdict) string) string {
	names := map[string][]string{}
	var values []string
	for _, o := range origins {
		v := value(o)
		if names[v] == nil {
			values = append(values, v)
		}
		names[v] = append(names[v], o.Name)
	}
	if len(values) < 2 {
		return ""
	}
	for i, v := range values {
		values[i] = v + " on " + strings.Join(names[v], ", ")
	}
	return strings.Join(values, "; ")
}
