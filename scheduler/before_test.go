package scheduler

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestTheSlotBefore(t *testing.T) {
	const berlin, howe = "CRON_TZ=Europe/Berlin ", "CRON_TZ=Australia/Lord_Howe "
	for _, c := range []struct{ name, spec, before, want string }{
		{"daily", "0 9 * * *", "2026-05-02T09:00:00Z", "2026-05-01T09:00:00Z"},
		{"between two", "0 9 * * *", "2026-05-02T09:00:01Z", "2026-05-02T09:00:00Z"},
		{"within the second of a slot", "0 9 * * *", "2026-05-02T09:00:00.5Z", "2026-05-02T09:00:00Z"},
		{"weekdays, over the weekend", "0 9 * * 1-5", "2026-05-04T09:00:00Z", "2026-05-01T09:00:00Z"},
		{"monthly, after 28 days", "0 0 1 * *", "2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z"},
		{"the 31st", "0 0 31 * *", "2026-05-31T00:00:00Z", "2026-03-31T00:00:00Z"},
		{"yearly", "@yearly", "2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z"},
		{"leap day", "0 0 29 2 *", "2104-02-29T00:00:00Z", "2096-02-29T00:00:00Z"},
		{"a day of many slots, long ago", "* * 1 1 *", "2026-12-31T10:00:00Z", "2026-01-01T23:59:00Z"},
		{"every", "@every 7h", "2026-05-01T04:00:00Z", "2026-04-30T21:00:00Z"},
		{"every second", "@every 1s", "2026-05-01T04:00:00Z", "2026-05-01T03:59:59Z"},
		{"every, before 1970", "@every 1h", "1970-01-01T00:00:00Z", "1969-12-31T23:00:00Z"},
		{"more than a century", "@every 1000000h", "1975-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"Berlin, spring: 23 hours", berlin + "0 9 * * *", "2026-03-29T07:00:00Z", "2026-03-28T08:00:00Z"},
		{"Berlin, autumn: 25 hours", berlin + "0 9 * * *", "2026-10-25T08:00:00Z", "2026-10-24T07:00:00Z"},
		{"Berlin, spring: 02:30 is left out", berlin + "30 2 * * *", "2026-03-30T00:30:00Z", "2026-03-28T01:30:00Z"},
		{"Berlin, autumn: 02:30 comes once", berlin + "30 2 * * *", "2026-10-26T01:30:00Z", "2026-10-25T00:30:00Z"},
		{"Berlin, autumn: every hour that passes", berlin + "0 * * * *", "2026-10-25T01:00:00Z", "2026-10-25T00:00:00Z"},
		{"Lord Howe, autumn: the quarters go on", howe + "*/30 * * * *", "2026-04-04T15:00:00Z", "2026-04-04T14:30:00Z"},
		{"the last day of a leap year", berlin + "0 9 * * *", "2029-01-01T08:00:00Z", "2028-12-31T08:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := schedule(t, c.spec).Prev(instant(t, c.before))
			if got.Format(time.RFC3339) != c.want {
				t.Errorf("got %s, want %s", got.Format(time.RFC3339), c.want)
			}
		})
	}
	if got := (Schedule{}).Prev(time.Now()); !got.IsZero() {
		t.Errorf("the zero schedule fired at %s", got)
	}
}

// TestPeriodsMeet goes back from slot to slot of random specs: between a slot and the one before
// there is neither a gap nor another slot.
func TestPeriodsMeet(t *testing.T) {
	random, accepted := rand.New(rand.NewPCG(3, 4)), 0
	for range 600 {
		s, err := Parse(randomSpec(random))
		if err != nil {
			continue
		}
		accepted++
		at := time.Unix(random.Int64N(1<<32), random.Int64N(2)*1e8)
		for range 4 {
			slot := s.Prev(at)
			if slot.IsZero() || !slot.Before(at) || s.Next(slot).Before(at) || !s.Next(slot.Add(-time.Second)).Equal(slot) {
				t.Fatalf("%q before %s: got %s, after which comes %s", s, at.UTC(), slot, s.Next(slot))
			}
			if next := s.Next(slot); !s.Prev(next).Equal(slot) {
				t.Fatalf("%q: after %s comes %s, but before that comes %s", s, slot, next, s.Prev(next))
			}
			at = slot
		}
	}
	if accepted < 100 {
		t.Errorf("%d specs were good: the random ones try too little", accepted)
	}
}

// TestPeriodsMeetWhereClocksChange goes through the changes of a winter in each kind of zone.
func TestPeriodsMeetWhereClocksChange(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "America/Havana", "Africa/Casablanca"} {
		for _, fields := range []string{"30 2 * * *", "0 */3 * * *", "45 1,2,3 * * 0"} {
			s := schedule(t, "CRON_TZ="+zone+" "+fields)
			meet(t, s, instant(t, "2026-09-28T00:00:00Z"), instant(t, "2026-11-10T00:00:00Z"))
			meet(t, s, instant(t, "2027-03-01T00:00:00Z"), instant(t, "2027-04-15T00:00:00Z"))
		}
	}
}

// meet has the slot before each slot be the one that it came after.
func meet(t *testing.T, s Schedule, from, until time.Time) {
	t.Helper()
	for slot := s.Next(from); slot.Before(until); {
		next := s.Next(slot)
		if got := s.Prev(next); !got.Equal(slot) {
			t.Fatalf("%s: before %s: got %s, want %s", s, next, got, slot)
		}
		slot = next
	}
}
