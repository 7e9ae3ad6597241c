package scheduler

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Describe says in plain words when the schedule fires: "every 15 minutes", "daily at 09:00
// (Asia/Shanghai)". Of specs that take more than a few words it returns the spec itself.
func (s Schedule) Describe() string {
	if !s.at.IsZero() {
		return "once, at " + s.at.Format(time.DateTime) + " UTC"
	}
	if s.every > 0 {
		return "every " + short(s.every)
	}
	if s.zone == nil {
		return "never"
	}
	words := s.inWords()
	switch {
	case words == "":
		return s.spec
	case s.zone != time.UTC && strings.Contains(words, ":"):
		return words + " (" + s.zone.String() + ")"
	}
	return words
}

// inWords describes the shapes that most specs have, and returns "" for others.
func (s Schedule) inWords() string {
	days, ok := s.days()
	minute, err := strconv.Atoi(s.words[0])
	hour, hourErr := strconv.Atoi(s.words[1])
	switch {
	case !ok:
		return ""
	case err == nil && hourErr == nil:
		return fmt.Sprintf("%s at %02d:%02d", days, hour, minute)
	case days != "daily" || restricted(s.words[1]):
		return ""
	case err == nil:
		return fmt.Sprintf("hourly at minute %d", minute)
	case !restricted(s.words[0]):
		return "every minute"
	}
	step, found := strings.CutPrefix(s.words[0], "*/")
	if n, err := strconv.Atoi(step); found && err == nil && 60%n == 0 {
		return fmt.Sprintf("every %d minutes", n)
	}
	return ""
}

// days describes the days on which the schedule fires.
func (s Schedule) days() (string, bool) {
	date, dateErr := strconv.Atoi(s.words[2])
	week, weekErr := strconv.Atoi(s.words[4])
	anyDate, anyWeek := !restricted(s.words[2]), !restricted(s.words[4])
	switch {
	case restricted(s.words[3]):
		return "", false
	case anyDate && anyWeek:
		return "daily", true
	case anyDate && weekErr == nil:
		return time.Weekday(week).String() + "s", true
	case anyDate && s.words[4] == "1-5":
		return "Monday to Friday", true
	case anyWeek && dateErr == nil:
		return fmt.Sprintf("monthly on day %d", date), true
	}
	return "", false
}

// restricted reports whether a field's text leaves anything out.
func restricted(text string) bool {
	return !slices.Contains([]string{"*", "?", "*/1", "?/1"}, text)
}

// short writes a duration without the units that are zero: 1h0m0s is 1h.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
