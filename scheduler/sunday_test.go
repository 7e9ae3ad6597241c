package scheduler

import (
	"strings"
	"testing"
	"time"
)

// TestSundayIsSeven holds specs with Sunday as 7 to the days on which they fire.
func TestSundayIsSeven(t *testing.T) {
	for _, c := range []struct{ field, want string }{
		{"7", "Sun"}, {"0", "Sun"}, {"sun", "Sun"}, {"0,7", "Sun"}, {"7-7", "Sun"}, {"sun-sun", "Sun"},
		{"5-7", "Sun Fri Sat"}, {"fri-sun", "Sun Fri Sat"}, {"FRI-Sun", "Sun Fri Sat"}, {"6,7", "Sun Sat"}, {"sun-tue", "Sun Mon Tue"},
		{"1-7", "Sun Mon Tue Wed Thu Fri Sat"}, {"0-7", "Sun Mon Tue Wed Thu Fri Sat"}, {"mon-sun", "Sun Mon Tue Wed Thu Fri Sat"},
		{"1-7/2", "Sun Mon Wed Fri"}, {"1-7/3", "Sun Mon Thu"}, {"1,3-4,7", "Sun Mon Wed Thu"}, {"1-5", "Mon Tue Wed Thu Fri"},
	} {
		s, err := Parse("0 9 * * " + c.field)
		if err != nil {
			t.Errorf("%s: %v", c.field, err)
			continue
		}
		var days []string
		at := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC) // a Saturday
		for at = s.Next(at); at.Before(time.Date(2026, 5, 9, 12, 0, 0, 0, time.UTC)); at = s.Next(at) {
			days = append(days, at.Format("Mon"))
		}
		if got := strings.Join(days, " "); got != c.want {
			t.Errorf("%s: fires on %s, want %s", c.field, got, c.want)
		}
	}
	for _, wrong := range []string{"8", "7-2", "8-7", "5-8", "77", "7-", "-7", "1-7/9", "sun-"} {
		if _, err := Parse("0 9 * * " + wrong); err == nil {
			t.Errorf("%s: it was accepted", wrong)
		}
	}
	if s, err := Parse("0 9 * * 7"); err != nil || s.Describe() != "Sundays at 09:00" {
		t.Errorf("got %q, %v", s.Describe(), err)
	}
}
