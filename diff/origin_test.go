package diff_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"mirror/diff"
)

// fill gives every field of a struct a value that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Array:
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.String:
		v.SetString("x")
	case reflect.Interface:
		v.Set(reflect.ValueOf(errors.New("x")))
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetInt(3)
	}
}

// TestASummaryLeavesNothingOut holds that a datum of a verdict comes as far as the history and
// the reports.
func TestASummaryLeavesNothingOut(t *testing.T) {
	var v diff.OriginVerdict
	fill(reflect.ValueOf(&v).Elem())
	v.Differences = []diff.Difference{{Kind: diff.Stale}, {Kind: diff.Extra, Tolerated: "x"}}
	summary := reflect.ValueOf(v.Summary())
	for i := range summary.NumField() {
		if summary.Field(i).IsZero() {
			t.Errorf("Summary leaves %s empty", summary.Type().Field(i).Name)
		}
	}
	verdict := reflect.TypeFor[diff.OriginVerdict]()
	for i := range verdict.NumField() {
		name := verdict.Field(i).Name
		if _, ok := summary.Type().FieldByName(name); !ok && name != "Differences" && name != "Times" { // the history takes those from the verdict
			t.Errorf("OriginState has no %s", name)
		}
	}
}

// TestOneRowForEveryPageCountsAllPages covers the row that one header makes on all pages.
func TestOneRowForEveryPageCountsAllPages(t *testing.T) {
	o := diff.OriginVerdict{Pages: 3, Match: 3}
	o.AddHeaders([]diff.Difference{{Path: "a", Kind: diff.Headers}, {Path: "b", Kind: diff.Headers}, {Path: "c", Kind: diff.Headers}})
	if n := o.Summary().Counts[diff.Headers]; len(o.Differences) != 1 || n != 3 || diff.PagesOf(o.Differences) != 3 || o.Counts()[diff.Headers] != 3 {
		t.Errorf("%+v count as %d", o.Differences, n)
	}
}
