package reports_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/reports"
	"mirror/site"
)

// set gives one field a value that is not zero.
func set(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		v.Set(reflect.ValueOf(time.Unix(1, 0).UTC()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[diff.Kind]int{diff.Stale: 1}))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	default:
		v.SetInt(3_000_000)
	}
}

// TestEveryDatumOfAnOriginIsReported holds that a field which is added to diff.OriginState, or
// to its Facts, has its place in the JSON document.
func TestEveryDatumOfAnOriginIsReported(t *testing.T) {
	unreported := map[string]string{"Published": "of the beacon's release: the differences have it"}
	document := func(o diff.OriginState) string {
		text, err := json.Marshal(reports.OriginStatusOf(o, time.Unix(0, 0)))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	empty := document(diff.OriginState{})
	try := func(name string, o *diff.OriginState, field reflect.Value) {
		set(field)
		if document(*o) == empty && unreported[name] == "" {
			t.Errorf("%s is in no report", name)
		}
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[diff.OriginState]()) {
		if field.Name == "Facts" {
			continue
		}
		var o diff.OriginState
		try(field.Name, &o, reflect.ValueOf(&o).Elem().FieldByIndex(field.Index))
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[diff.Facts]()) {
		var o diff.OriginState
		try("Facts."+field.Name, &o, reflect.ValueOf(&o).Elem().FieldByName("Facts").FieldByIndex(field.Index))
	}
}

// TestHintFitsWhereTheSiteIsFrom: mirror publishes nothing where a built site is checked with no config.
func TestHintFitsWhereTheSiteIsFrom(t *testing.T) {
	for unmanaged, hint := range map[bool]string{false: "(hint: publish)", true: "(hint: deploy this build)"} {
		v := diff.Verdict{Release: site.ID(strings.Repeat("ab", 32)), Pages: 1, Unmanaged: unmanaged, Origins: []diff.OriginVerdict{
			{Name: "a", Pages: 1, Differences: []diff.Difference{{Origin: "a", Path: "index.html", Kind: diff.Stale, Got: site.Digest{1}}}},
		}}
		var text strings.Builder
		if err := reports.CheckOf(v).Text(&text, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), hint) {
			t.Errorf("there is no %q in\n%s", hint, text.String())
		}
	}
}
