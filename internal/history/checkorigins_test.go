package history_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/history"
)

// fill gives every field of a struct a value that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(minute(1)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	default:
		v.SetInt(3000)
	}
}

// TestAllOfAnOriginIsStored holds that a datum which is added to diff.OriginState comes back.
func TestAllOfAnOriginIsStored(t *testing.T) {
	var o diff.OriginState
	fill(reflect.ValueOf(&o).Elem())
	o.State, o.Counts = diff.Drifts, map[diff.Kind]int{diff.Stale: 2}
	s := open(t, place(t))
	record(t, s, history.Check{Started: minute(1), Origins: []diff.OriginState{o}}, nil)
	got, _, err := s.LastCheck(t.Context())
	if err != nil || !reflect.DeepEqual(got.Origins[0], o) {
		t.Errorf("got %+v, %v\nwant %+v", got.Origins, err, o)
	}
}

func TestWhatAnOriginWroteIsBounded(t *testing.T) {
	o := diff.OriginState{Name: "a", State: diff.Agrees, Recovered: 2}
	for range 100 {
		o.Noise = append(o.Noise, "page")
	}
	s := open(t, place(t))
	record(t, s, history.Check{Started: minute(1), Origins: []diff.OriginState{o}}, nil)
	o.Noise[0] = strings.Repeat("x", 1<<20)
	record(t, s, history.Check{Started: minute(2), Origins: []diff.OriginState{o}}, nil)
	facts := o
	facts.Facts.HSTS, facts.Facts.MixedExamples = "max-age=1", []diff.MixedResource{{URL: o.Noise[0]}}
	record(t, s, history.Check{Started: minute(4), Origins: []diff.OriginState{facts}}, nil)
	o.Facts.HSTS = o.Noise[0]
	record(t, s, history.Check{Started: minute(3), Origins: []diff.OriginState{o}}, nil)
	all, err := s.Checks(t.Context(), time.Time{}, 0)
	if err != nil || len(all) != 4 {
		t.Fatal(all, err)
	}
	if kept := all[0].Origins[0]; len(kept.Facts.MixedExamples) != 0 || kept.Facts.HSTS != "max-age=1" {
		t.Errorf("a long example: got %+v", kept.Facts)
	}
	all = all[1:]
	if kept := all[2].Origins[0]; len(kept.Noise) != 20 || kept.Recovered != 2 {
		t.Errorf("many: got %+v", kept)
	}
	if kept := all[1].Origins[0]; len(kept.Noise) != 0 || kept.Recovered != 2 {
		t.Errorf("a long one: got %d, %d", len(kept.Noise), kept.Recovered)
	}
	if kept := all[0].Origins[0]; kept.Facts.HSTS != "" || kept.State != diff.Agrees {
		t.Errorf("a long header: got %d bytes", len(kept.Facts.HSTS))
	}
}
