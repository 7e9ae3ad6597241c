package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"mirror/internal/notify"
)

func TestEveryKindOfEventCanBeAskedFor(t *testing.T) {
	var want []string
	for _, kind := range notify.Kinds() {
		want = append(want, string(kind))
	}
	place := reflect.TypeFor[Notify]()
	for _, name := range []string{"On", "Urgent"} {
		f, _ := place.FieldByName(name)
		var got []string
		for rule := range strings.SplitSeq(f.Tag.Get("jsonschema"), ",") {
			if kind, ok := strings.CutPrefix(rule, "enum="); ok {
				got = append(got, kind)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s takes %q, want %q", name, got, want)
		}
	}
}

func TestErrorsOnPlacesToNotifyHoldNoSecret(t *testing.T) {
	const secret = "swordfish"
	for _, address := range []string{
		"slack://" + secret, "slack://hook:" + secret + "@webhook", "telegram://" + secret + "@telegram", "nosuch://" + secret,
		"discord://" + secret, "smtp://me:" + secret + "@mail", "http://example.com/" + secret, "https://me:" + secret + "@example.com",
		"https:// " + secret, "https://example.com/#" + secret, "ntfy://%zz" + secret, "matrix://" + secret, "generic+http://a/" + secret,
		"generic+%%://" + secret, "pushover://" + secret, "teams://" + secret, "bark+x://" + secret,
	} {
		_, err := Parse("m.yaml", []byte(body("notify: [{url: '"+address+"'}]")), environment, kinds())
		if err == nil {
			t.Errorf("%s is taken", address)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", address, err)
		}
		_, err = Parse("m.yaml", []byte(body("notify: [{url: '"+strings.ReplaceAll(address, secret, "${WORD}")+"'}]")), environment, kinds())
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s of the environment: %v", address, err)
		}
	}
}
