package compare_test

import (
	"slices"
	"strings"
	"testing"

	"mirror/diff"
	"mirror/internal/compare"
	"mirror/internal/origin"
)

// nowhere has so many worlds lack all pages but some.
func nowhere(n int, but ...string) []*world {
	all := worlds(n)
	for _, w := range all {
		for _, path := range paths {
			if !slices.Contains(but, path) {
				delete(w.pages, path)
			}
		}
	}
	return all
}

// TestRunCannotJudgeWhatIsNowhere has the origins say of most pages, or of the home page, that
// there is none: that they say so all alike is no agreement, whatever is tolerated.
func TestRunCannotJudgeWhatIsNowhere(t *testing.T) {
	lenient := diff.Tolerance{Unreachable: diff.Share{Part: 1}}
	for _, k := range diff.Kinds() {
		lenient.Rules = append(lenient.Rules, diff.Leniency{Kind: k, Text: string(k)})
	}
	for _, c := range []struct {
		name string
		all  []*world
		why  string // "" where they agree
	}{
		{"nothing at all", nowhere(2), "home page"},
		{"nothing but the home page", nowhere(3, ""), "5 of 6 pages"},
		{"less than half", nowhere(2, "", "about/"), "4 of 6 pages"},
		{"no home page", nowhere(2, paths[1:]...), "home page"},
		{"half", nowhere(2, "", "about/", "plain.txt"), ""},
	} {
		v := run(t, usual, c.all...)
		if v.Agree() != (c.why == "") || v.Drifted() {
			t.Errorf("%s: agree is %v, drifted is %v", c.name, v.Agree(), v.Drifted())
		}
		for _, o := range v.Origins {
			if (o.Err != nil) != (c.why != "") || o.Err != nil && !strings.Contains(o.Err.Error(), c.why) {
				t.Errorf("%s: got %v, want %q", c.name, o.Err, c.why)
			}
		}
		v.Tolerate(lenient)
		if v.Agree() != (c.why == "") {
			t.Errorf("%s, with all tolerated: agree is %v", c.name, v.Agree())
		}
	}
}

func TestRunComparesNothingWithNothing(t *testing.T) {
	for _, one := range [][]string{{""}, {"gone.html"}} {
		for _, named := range []bool{false, true} {
			var origins []origin.Endpoint
			for i, w := range nowhere(2) {
				origins = append(origins, w.start(t, string(rune('a'+i))))
			}
			v, err := compare.Run(t.Context(), origins, one, compare.Options{Named: named})
			if err != nil || v.Agree() || v.Drifted() {
				t.Errorf("%q: got %+v, %v", one, v.Origins, err)
			}
		}
	}
}

// TestRunTakesNamedPagesByThemselves has a person name pages of sites without a home page.
func TestRunTakesNamedPagesByThemselves(t *testing.T) {
	if v := run(t, compare.Options{Named: true}, nowhere(2, paths[1:]...)...); !v.Agree() || v.Nowhere != 1 || v.Origins[0].Match != len(paths)-1 {
		t.Errorf("got %+v", v)
	}
	if v := run(t, compare.Options{Named: true}, nowhere(2, "", "about/", "plain.txt")...); v.Agree() || v.Nowhere != 3 {
		t.Errorf("three of five named pages are nowhere: got %+v", v)
	}
}

func TestRunCountsWhatIsCompared(t *testing.T) {
	all := worlds(2)
	for _, w := range all {
		delete(w.pages, "feed.xml")
		w.spoil["plain.txt"] = status(401)
	}
	v := run(t, usual, all...)
	if !v.Agree() || v.Pages != len(paths) || v.Nowhere != 1 || v.Closed != 1 {
		t.Errorf("got %d pages, %d nowhere, %d closed", v.Pages, v.Nowhere, v.Closed)
	}
	for _, o := range v.Origins {
		if o.Match != len(paths)-2 || o.Pages != len(paths)-2 {
			t.Errorf("got %d/%d", o.Match, o.Pages)
		}
	}
	if notes := strings.Join(v.Notes, "\n"); !strings.Contains(notes, "(/plain.txt): every origin wants visitors to log in") {
		t.Errorf("got %q", v.Notes)
	}
	all[0].change(func() { all[0].pages["feed.xml"] = "there after all" })
	if v := run(t, usual, all...); drifts(v) != "a extra feed.xml, b missing feed.xml" || v.Nowhere != 0 {
		t.Errorf("got %q, %d nowhere", drifts(v), v.Nowhere)
	}
}

// TestRunFollowsTheHomePageToNowhere has home pages that lead to one that is not there.
func TestRunFollowsTheHomePageToNowhere(t *testing.T) {
	all := worlds(2)
	for _, w := range all {
		w.spoil[""], w.spoil["start"] = redirect("/start"), redirect("/en/")
	}
	if v := run(t, usual, all...); v.Agree() || v.Drifted() || !strings.Contains(v.Origins[0].Err.Error(), "home page") {
		t.Errorf("got %+v", v)
	}
	for _, w := range all {
		w.pages["en/"] = "home"
	}
	if v := run(t, usual, all...); !v.Agree() {
		t.Errorf("got %+v", v)
	}
}

// TestRunKnowsWhatARefusalSays has one of three origins refuse a page: that is an absence only
// where it refuses a path that never existed, too, and serves other pages.
func TestRunKnowsWhatARefusalSays(t *testing.T) {
	for name, c := range map[string]struct {
		path, want string
		refuse     func(w *world)
	}{
		"a firewall for a page": {"plain.txt", "b unreachable plain.txt", func(w *world) { w.spoil["plain.txt"] = status(403) }},
		"a bucket that may not be listed": {"plain.txt", "b missing plain.txt", func(w *world) {
			delete(w.pages, "plain.txt")
			w.absent = 403
		}},
		"a bucket that answers 400":       {"plain.txt", "b missing plain.txt", func(w *world) { delete(w.pages, "plain.txt"); w.absent = 400 }},
		"a folder of pages, not listed":   {"css/", "b missing css/", func(w *world) { w.spoil["css/"] = status(403) }},
		"a folder of nothing, firewalled": {"about/", "b unreachable about/", func(w *world) { w.spoil["about/"] = status(403) }},
	} {
		t.Run(name, func(t *testing.T) {
			all, origins := worlds(3), []origin.Endpoint{}
			c.refuse(all[1])
			for i, w := range all {
				w.pages["css/"] = "an index"
				origins = append(origins, w.start(t, string(rune('a'+i))))
			}
			v, err := compare.Run(t.Context(), origins, append([]string{"css/"}, paths...), usual)
			if err != nil {
				t.Fatal(err)
			}
			got := slices.DeleteFunc(strings.Split(drifts(v), ", "), func(d string) bool { return !strings.HasSuffix(d, " "+c.path) })
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", drifts(v), c.want)
			}
		})
	}
}
