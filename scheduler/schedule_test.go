package scheduler

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
)

func TestSlots(t *testing.T) {
	const berlin, york, howe, troll = "CRON_TZ=Europe/Berlin ", "TZ=America/New_York ", "CRON_TZ=Australia/Lord_Howe ", "CRON_TZ=Antarctica/Troll "
	for _, c := range []struct{ name, spec, after, want string }{
		{"plain", "*/15 * * * *", "2026-05-01T10:07:00Z", "2026-05-01T10:15:00Z 2026-05-01T10:30:00Z"},
		{"on a slot comes the next", "0 9 * * *", "2026-05-01T09:00:00Z", "2026-05-02T09:00:00Z"},
		{"east of UTC", "CRON_TZ=Asia/Shanghai 0 9 * * *", "2026-05-01T00:00:00Z", "2026-05-01T01:00:00Z 2026-05-02T01:00:00Z"},
		{"offset by 45 minutes", "CRON_TZ=Asia/Kathmandu 0 * * * *", "2026-05-01T00:00:00Z", "2026-05-01T00:15:00Z 2026-05-01T01:15:00Z"},
		{"leap day", "0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z"},
		{"no leap day in 2100", "0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"no leap day in 2100, with changes of the clock", berlin + "0 12 29 2 *", "2096-02-29T12:00:00Z", "2104-02-29T11:00:00Z"},
		{"month ends", "59 23 31 * *", "2026-01-31T23:59:00Z", "2026-03-31T23:59:00Z 2026-05-31T23:59:00Z"},
		{"year end", "59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"},
		{"year end elsewhere", "CRON_TZ=Pacific/Kiritimati 0 0 1 1 *", "2026-12-01T00:00:00Z", "2026-12-31T10:00:00Z"},
		{"the last day of a leap year", berlin + "0 9 * * *", "2028-12-30T10:00:00Z", "2028-12-31T08:00:00Z 2029-01-01T08:00:00Z"},
		{"either day", "0 0 13 * 5", "2026-02-01T00:00:00Z", "2026-02-06T00:00:00Z 2026-02-13T00:00:00Z 2026-02-20T00:00:00Z"},
		{"every, from a fixed start", "@every 7h", "2026-05-01T00:00:00Z", "2026-05-01T04:00:00Z 2026-05-01T11:00:00Z"},
		{"every, before 1970", "@every 1h", "1969-12-31T22:30:00Z", "1969-12-31T23:00:00Z 1970-01-01T00:00:00Z"},

		{"Berlin, spring: 02:30 is left out", berlin + "30 2 * * *", "2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"},
		{"Berlin, spring: the quarters go on", berlin + "*/30 * * * *", "2026-03-29T00:15:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z"},
		{"Berlin, spring: 03:00 is there", berlin + "0 3 * * *", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
		{"Berlin, autumn: 02:30 comes once", berlin + "30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"},
		{"Berlin, autumn: from within the second hour", berlin + "45 2 * * *", "2026-10-25T01:10:00Z", "2026-10-26T01:45:00Z"},
		{"Berlin, autumn: every hour that passes", berlin + "0 * * * *", "2026-10-24T23:30:00Z", "2026-10-25T00:00:00Z 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z"},
		{"Berlin, autumn: some hours, once each", berlin + "0 */2 * * *", "2026-10-24T23:30:00Z", "2026-10-25T00:00:00Z 2026-10-25T03:00:00Z"},
		{"New York, spring: 02:30 is left out", york + "30 2 * * *", "2026-03-08T00:00:00Z", "2026-03-09T06:30:00Z"},
		{"New York, autumn: 01:30 comes once", york + "30 1 * * *", "2026-11-01T00:00:00Z", "2026-11-01T05:30:00Z 2026-11-02T06:30:00Z"},
		{"Lord Howe, spring: 02:15 is left out", howe + "15 2 * * *", "2026-10-03T12:00:00Z", "2026-10-04T15:15:00Z"},
		{"Lord Howe, spring: 03:15 is there", howe + "15 3 * * *", "2026-10-03T12:00:00Z", "2026-10-03T16:15:00Z 2026-10-04T16:15:00Z"},
		{"Lord Howe, autumn: 01:45 comes once", howe + "45 1 * * *", "2026-04-04T12:00:00Z", "2026-04-04T14:45:00Z 2026-04-05T15:15:00Z"},
		{"Lord Howe, autumn: 02:00 is there", howe + "0 2 * * *", "2026-04-04T12:00:00Z", "2026-04-04T15:30:00Z 2026-04-05T15:30:00Z"},
		{"Lord Howe, autumn: the quarters go on", howe + "*/30 * * * *", "2026-04-04T14:15:00Z", "2026-04-04T14:30:00Z 2026-04-04T15:00:00Z 2026-04-04T15:30:00Z"},
		{"Troll, autumn: two hours come again", troll + "30 1 * * *", "2026-10-24T12:00:00Z", "2026-10-24T23:30:00Z 2026-10-26T01:30:00Z"},
		{"Havana, spring: no midnight", "TZ=America/Havana 0 0 * * *", "2026-03-07T12:00:00Z", "2026-03-09T04:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, from := schedule(t, c.spec), instant(t, c.after)
			for want := range strings.FieldsSeq(c.want) {
				from = s.Next(from)
				if got := from.Format(time.RFC3339); got != want {
					t.Fatalf("got %s, want %s", got, want)
				}
			}
		})
	}
	if got := (Schedule{}).Next(time.Now()); !got.IsZero() {
		t.Errorf("the zero schedule fires at %s", got)
	}
}

// TestDailySlotsAreOneADay goes through ten years in every kind of zone: a daily
// time that the clock shows on a day has one slot there.
func TestDailySlotsAreOneADay(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "America/Havana", "Africa/Casablanca", "Asia/Gaza"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		years := 3
		if zone == "Africa/Casablanca" || zone == "Asia/Gaza" { // their clocks change on other days each year
			years = 10
		}
		for _, hour := range []int{0, 1, 2, 3} {
			s := schedule(t, fmt.Sprintf("CRON_TZ=%s 20 %d * * *", zone, hour))
			slot := s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, loc))
			for day := range years * 365 {
				shown := time.Date(2026, 1, 1+day, hour, 20, 0, 0, loc)
				if shown.Hour() != hour || shown.Minute() != 20 {
					continue // the clock leaves it out
				}
				if in := slot.In(loc); in.YearDay() != shown.YearDay() || in.Hour() != hour || in.Minute() != 20 {
					t.Fatalf("%s: got %s, want it on %s", s, in, shown)
				}
				slot = s.Next(slot)
			}
		}
	}
}

// TestQuartersMeet has no quarter of an hour left out or repeated around the days on which clocks change.
func TestQuartersMeet(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "Asia/Kathmandu"} {
		s := schedule(t, "CRON_TZ="+zone+" */15 * * * *")
		for _, from := range []string{"2026-03-05", "2026-03-25", "2026-04-01", "2026-09-30", "2026-10-20", "2026-10-30"} {
			slot := instant(t, from+"T00:00:00Z")
			for range 10 * 24 * 4 {
				next := s.Next(slot)
				if next.Sub(slot) != 15*time.Minute {
					t.Errorf("%s: after %s comes %s", zone, slot, next)
				}
				slot = next
			}
		}
	}
}

// TestSlotsAreThoseOfTheLibrary compares a thousand random specs with the library, in UTC,
// where it is right; ten thousand with MIRROR_EXPERIMENT=full.
func TestSlotsAreThoseOfTheLibrary(t *testing.T) {
	random, accepted, specs := rand.New(rand.NewPCG(1, 2)), 0, 1000
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		specs = 10_000
	}
	for range specs {
		spec := randomSpec(random)
		from := time.Unix(random.Int64N(1<<32), 0).UTC()
		if !holds(t, spec, from) || strings.Contains(spec, "=") {
			continue
		}
		accepted++
		s := schedule(t, spec)
		words := strings.Fields(s.String())
		words[len(words)-1] = sundays(words[len(words)-1]) // the library knows Sunday as 0 alone
		theirs, err := cron.ParseStandard("CRON_TZ=UTC " + strings.Join(words, " "))
		if err != nil {
			t.Fatalf("%q: the library refuses it: %v", spec, err)
		}
		if got, want := s.Next(from), theirs.Next(from); !want.IsZero() && !strings.HasPrefix(spec, "@every") && !got.Equal(want) {
			t.Errorf("%q after %s: got %s, want %s", spec, from, got, want)
		}
	}
	if accepted < specs/5 {
		t.Errorf("%d specs were good: the random ones try too little", accepted)
	}
}

// randomSpec returns a spec that is often good, and else broken in some way.
func randomSpec(random *rand.Rand) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	number := func() string { return fmt.Sprint(random.IntN(32)) }
	part := func() string {
		switch random.IntN(12) {
		case 0:
			return number()
		case 1:
			return number() + "-" + number()
		case 2:
			return "*/" + number()
		case 3:
			return number() + "," + number()
		case 4:
			return pick("jan", "SUN", "1-5", "?", "", "*-3", "L", "\x00", "é", "-1", "99999999999999999999", "1/", "/")
		}
		return "*"
	}
	words := []string{number(), fmt.Sprint(random.IntN(24)), part(), part(), part()}
	if random.IntN(3) == 0 {
		words[0], words[1] = part(), part()
	}
	switch random.IntN(20) {
	case 0:
		words = words[random.IntN(5):]
	case 1:
		words = []string{pick("@every", "@daily", "@yearly", "@"), pick("", number()+"m", number()+"s", "x")}
	case 2, 3, 4:
		words = append([]string{pick("TZ=", "CRON_TZ=Europe/Berlin", "CRON_TZ=Australia/Lord_Howe", "TZ=America/New_York", "TZ", "=")}, words...)
	case 5:
		words = append(words, part())
	}
	return strings.Join(words, pick(" ", " ", " ", "\t", "  "))
}

func TestTheNewestOfManySlots(t *testing.T) {
	for _, c := range []struct {
		spec, first, upto, want string
		before                  int
	}{
		{"0 * * * *", "2026-05-01T10:00:00Z", "2026-05-01T10:30:00Z", "2026-05-01T10:00:00Z", 0},
		{"0 * * * *", "2026-05-01T10:00:00Z", "2026-05-01T13:00:00Z", "2026-05-01T13:00:00Z", 3},
		{"* * * * *", "2026-05-01T10:00:00Z", "2126-05-01T10:00:30Z", "2126-05-01T10:00:00Z", maxCounted},
		{"* * 1 1 *", "2026-01-01T00:00:00Z", "2126-05-01T10:00:30Z", "2126-01-01T23:59:00Z", maxCounted},
		{"@every 1s", "2026-05-01T10:00:00Z", "2126-05-01T10:00:30Z", "2126-05-01T10:00:30Z", maxCounted},
	} {
		got, before := schedule(t, c.spec).newest(instant(t, c.first), instant(t, c.upto))
		if !got.Equal(instant(t, c.want)) || before != c.before {
			t.Errorf("%s from %s to %s: got %s and %d before, want %s and %d", c.spec, c.first, c.upto, got, before, c.want, c.before)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, spec := range []string{"*/15 * * * *", "CRON_TZ=Europe/Berlin 0 9 * * *", "0 0 29 2 *"} {
		b.Run(spec, func(b *testing.B) {
			s, at := schedule(b, spec), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for b.Loop() {
				s.Next(at)
			}
		})
	}
}
