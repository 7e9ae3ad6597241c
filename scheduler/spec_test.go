package scheduler

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestSpecsThatAreRefused(t *testing.T) {
	for _, c := range []struct{ spec, why string }{
		{"", `does not say when (hint: "*/15 * * * *" is every 15 minutes, "0 9 * * *" is daily at 9)`},
		{" \t", `does not say when (hint: "*/15 * * * *" is every 15 minutes, "0 9 * * *" is daily at 9)`},
		{"CRON_TZ=UTC", `does not say when (hint: "*/15 * * * *" is every 15 minutes, "0 9 * * *" is daily at 9)`},
		{"TZ=0", `names the time zone "0", which is unknown (hint: a name from the IANA list, such as Europe/Berlin)`},
		{"CRON_TZ=Mars/Base 0 9 * * *", `names the time zone "Mars/Base", which is unknown (hint: a name from the IANA list, such as Europe/Berlin)`},
		{"TZ=../../etc/passwd 0 9 * * *", `names the time zone "../../etc/passwd", which is unknown (hint: a name from the IANA list, such as Europe/Berlin)`},
		{"TZ= 0 9 * * *", "names no time zone after TZ= (hint: CRON_TZ=Europe/Berlin; UTC is used without it)"},
		{"TZ=Local 0 9 * * *", "names no time zone after TZ= (hint: CRON_TZ=Europe/Berlin; UTC is used without it)"},
		{"CRONTZ=UTC 0 9 * * *", "begins with CRONTZ=, which is no setting (hint: CRON_TZ=Europe/Berlin 0 9 * * *)"},
		{"TZ=UTC TZ=UTC 9 * * *", `has "TZ=UTC" for minute, which is no number, range (1-5), list (1,15) or step (*/10)`},
		{"hourly", `has 1 fields, not five: minute, hour, day of month, month, day of week (hint: "0 9 * * *" is daily at 9)`},
		{"0 */5 * * * *", `has 6 fields, not five: seconds cannot be given (hint: "*/5 * * * *")`},
		{"* * * * * * *", `has 7 fields, not five: minute, hour, day of month, month, day of week (hint: "0 9 * * *" is daily at 9)`},
		{"60 * * * *", `has "60" for minute, which cannot be (hint: 0 to 59)`},
		{"0 24 * * *", `has "24" for hour, which cannot be (hint: 0 to 23)`},
		{"0 0 0 * *", `has "0" for day of month, which cannot be (hint: 1 to 31)`},
		{"0 0 * 13 *", `has "13" for month, which cannot be (hint: 1 to 12 or jan to dec)`},
		{"0 0 * * 8", `has "8" for day of week, which cannot be (hint: 0 to 7 or sun to sat; Sunday is 0 or 7)`},
		{"0 0 * foo *", `has "foo" for month, which cannot be (hint: 1 to 12 or jan to dec)`},
		{"30-10 * * * *", `has "30-10" for minute, which cannot be (hint: 0 to 59)`},
		{"*/0 * * * *", `has "*/0" for minute, which cannot be (hint: 0 to 59)`},
		{"*/90 * * * *", `has "*/90" for minute, a step beyond 0 to 59 (hint: "@every 90m")`},
		{"0 */36 * * *", `has "*/36" for hour, a step beyond 0 to 23 (hint: "@every 36h")`},
		{"0 0 */40 * *", `has "*/40" for day of month, a step beyond 1 to 31`},
		{"0 0 L * *", `has "L" for day of month, which is no number, range (1-5), list (1,15) or step (*/10)`},
		{"0 0 * * 5#2", `has "5#2" for day of week, which is no number, range (1-5), list (1,15) or step (*/10)`},
		{"*-5 * * * *", `has "*-5" for minute, which is no number, range (1-5), list (1,15) or step (*/10)`},
		{"+5 * * * *", `has "+5" for minute, which is no number, range (1-5), list (1,15) or step (*/10)`},
		{", * * * *", `has "," for minute, which is no number, range (1-5), list (1,15) or step (*/10)`},
		{"0 0 31 2 *", `never fires: no month of "2" has a day 31 (hint: "0 0 28 2 *", "0 0 1 * *")`},
		{"0 0 30-31 feb *", `never fires: no month of "feb" has a day 30-31 (hint: "0 0 28 2 *", "0 0 1 * *")`},
		{"0 0 31 4,6,9,11 *", `never fires: no month of "4,6,9,11" has a day 31 (hint: "0 0 28 2 *", "0 0 1 * *")`},
		{"@every 0s", `would fire more than once a second (hint: "@every 10m", "@every 1h30m")`},
		{"@every -5m", `would fire more than once a second (hint: "@every 10m", "@every 1h30m")`},
		{"@every 1.5s", `is not in whole seconds (hint: "@every 10m", "@every 1h30m")`},
		{"@every day", `has "day" for a duration (hint: "@every 10m", "@every 1h30m")`},
		{"@every", `needs one duration after @every (hint: "@every 10m", "@every 1h30m")`},
		{"@reboot", "has @reboot, which is none of @yearly, @monthly, @weekly, @daily, @hourly, @every and @at"},
		{"@at", `needs one instant after @at (hint: "@at 2026-12-24T18:00:00+01:00"; Z in place of the offset is UTC)`},
		{"@at 2026-12-24 18:00", `needs one instant after @at (hint: "@at 2026-12-24T18:00:00+01:00"; Z in place of the offset is UTC)`},
		{"@at 2026-12-24T18:00:00", `has "2026-12-24T18:00:00" for an instant (hint: "@at 2026-12-24T18:00:00+01:00"; Z in place of the offset is UTC)`},
		{"@at 2026-12-24T18:00:00.5Z", `is not in whole seconds (hint: "@at 2026-12-24T18:00:00+01:00"; Z in place of the offset is UTC)`},
		{"@at 2026-02-30T18:00:00Z", `has "2026-02-30T18:00:00Z" for an instant (hint: "@at 2026-12-24T18:00:00+01:00"; Z in place of the offset is UTC)`},
		{"@at 0001-01-01T00:00:00Z", `is in no year that a clock shows (hint: "@at 2026-12-24T18:00:00+01:00"; Z in place of the offset is UTC)`},
		{"CRON_TZ=Europe/Berlin @at 2026-12-24T18:00:00Z", `has a time zone before @at, whose instant has its own offset (hint: "@at 2026-12-24T18:00:00+01:00"; Z in place of the offset is UTC)`},
		{"@daily 9", `has "9" after @daily, which stands alone`},
	} {
		_, err := Parse(c.spec)
		var refused *SpecError
		if !errors.As(err, &refused) || refused.Why != c.why || refused.Spec != c.spec {
			t.Errorf("%q:\ngot  %v\nwant %s", c.spec, err, c.why)
		}
	}
	if _, err := Parse(strings.Repeat("1,", 2000) + "1 * * * *"); err == nil || len(err.Error()) > 100 {
		t.Errorf("a spec without end: got %v", err)
	}
}

func TestSpecsInWords(t *testing.T) {
	for spec, want := range map[string]string{
		"*/15 * * * *":                    "every 15 minutes",
		"*/7 * * * *":                     "*/7 * * * *",
		"* * * * *":                       "every minute",
		"5 * * * *":                       "hourly at minute 5",
		"@hourly":                         "hourly at minute 0",
		"@every 1h30m":                    "every 1h30m",
		"@every 60m":                      "every 1h",
		"@every 90s":                      "every 1m30s",
		"CRON_TZ=Asia/Shanghai 0 9 * * *": "daily at 09:00 (Asia/Shanghai)",
		"0  9 * *\t*":                     "daily at 09:00",
		"0 9 * * 1-5":                     "Monday to Friday at 09:00",
		"@weekly":                         "Sundays at 00:00",
		"@monthly":                        "monthly on day 1 at 00:00",
		"0 9 1 * 1":                       "0 9 1 * 1",
		"0 9 * 2 *":                       "0 9 * 2 *",
		"*/15 9-17 * * *":                 "*/15 9-17 * * *",
	} {
		if got := schedule(t, spec).Describe(); got != want {
			t.Errorf("%q: got %q, want %q", spec, got, want)
		}
	}
	if got := (Schedule{}).Describe(); got != "never" {
		t.Errorf("got %q", got)
	}
}

func schedule(t testing.TB, spec string) Schedule {
	t.Helper()
	s, err := Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05Z07:00", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func FuzzParse(f *testing.F) {
	for _, spec := range []string{"*/15 * * * *", "CRON_TZ=UTC", "TZ=0", "@every 1h", "0 0 29 2 *", "CRON_TZ=Australia/Lord_Howe 15 3 * * 1-5", "@daily"} {
		f.Add(spec, int64(1_700_000_000))
	}
	f.Fuzz(func(t *testing.T, spec string, from int64) {
		holds(t, spec, time.Unix(from%(1<<33), 0))
	})
}

// holds tries what is true of every spec: it is refused with a reason, or has slots, each
// after the one before and on a whole second, and the same when it is written out again.
func holds(t *testing.T, spec string, from time.Time) bool {
	s, err := Parse(spec)
	if err != nil {
		var refused *SpecError
		if !errors.As(err, &refused) || refused.Why == "" {
			t.Errorf("%q: refused with %v", spec, err)
		}
		return false
	}
	again, err := Parse(s.String())
	if err != nil {
		t.Fatalf("%q is written %q, which is refused: %v", spec, s, err)
	}
	for range 2 {
		slot := s.Next(from)
		if !slot.After(from) || slot.Nanosecond() != 0 || slot.Location() != time.UTC || !again.Next(from).Equal(slot) {
			t.Errorf("%q: after %s comes %s, of its text %s", spec, from, slot, again.Next(from))
			return true
		}
		if early := s.Next(slot.Add(-time.Nanosecond)); !early.Equal(slot) {
			t.Errorf("%q: just before %s comes %s", spec, slot, early)
		}
		from = slot
	}
	return true
}
