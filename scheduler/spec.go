package scheduler

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// SpecError says what is wrong with a cron spec.
type SpecError struct {
	Spec string
	// Why completes the sentence that begins with the spec: "has 6 fields, not five …".
	Why string
}

// Error returns the spec and what is wrong with it.
func (e *SpecError) Error() string { return fmt.Sprintf("cron spec %q %s", e.Spec, e.Why) }

// maxSpec bounds a spec's length. The longest that say something are lists of minutes.
const maxSpec = 1024

// Parse reads a cron spec: five fields (minute, hour, day of month, month, day of week), or
// one of @yearly, @monthly, @weekly, @daily, @hourly, "@every 10m" and
// "@at 2026-12-24T18:00:00+01:00", which is one instant. The clock is UTC's
// unless the spec begins with CRON_TZ=zone. Where both days are restricted, either will do,
// as in every cron.
//
// A spec that can never fire, or that fires at other times than it seems to say, is refused.
// The error is a *SpecError.
func Parse(spec string) (Schedule, error) {
	if len(spec) > maxSpec {
		return Schedule{}, &SpecError{spec[:20] + "…", fmt.Sprintf("is longer than %d bytes", maxSpec)}
	}
	s, why := parse(strings.Fields(spec))
	if why != "" {
		return Schedule{}, &SpecError{spec, why}
	}
	s.spec = strings.Join(strings.Fields(spec), " ")
	return s, nil
}

// parse reads a spec's words and says what is wrong with them. The library underneath would
// panic on a zone alone, so it is given fields only, one at a time.
func parse(words []string) (Schedule, string) {
	zone := time.UTC
	if len(words) > 0 && strings.Contains(words[0], "=") {
		var why string
		if zone, why = parseZone(words[0]); why != "" {
			return Schedule{}, why
		}
		words = words[1:]
	}
	switch {
	case len(words) == 0:
		return Schedule{}, `does not say when (hint: "*/15 * * * *" is every 15 minutes, "0 9 * * *" is daily at 9)`
	case words[0] == "@every":
		return parseEvery(words[1:])
	case words[0] == "@at":
		return parseAt(words[1:], zone)
	case strings.HasPrefix(words[0], "@"):
		return parseDescriptor(words, zone)
	}
	return parseFields(words, zone)
}

func parseZone(word string) (*time.Location, string) {
	key, name, _ := strings.Cut(word, "=")
	switch {
	case key != "CRON_TZ" && key != "TZ":
		return nil, fmt.Sprintf("begins with %s=, which is no setting (hint: CRON_TZ=Europe/Berlin 0 9 * * *)", key)
	case name == "" || name == "Local":
		return nil, fmt.Sprintf("names no time zone after %s= (hint: CRON_TZ=Europe/Berlin; UTC is used without it)", key)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Sprintf("names the time zone %q, which is unknown (hint: a name from the IANA list, such as Europe/Berlin)", name)
	}
	return zone, ""
}

func parseEvery(words []string) (Schedule, string) {
	const hint = `(hint: "@every 10m", "@every 1h30m")`
	if len(words) != 1 {
		return Schedule{}, "needs one duration after @every " + hint
	}
	every, err := time.ParseDuration(words[0])
	switch {
	case err != nil:
		return Schedule{}, fmt.Sprintf("has %q for a duration %s", words[0], hint)
	case every < time.Second:
		return Schedule{}, "would fire more than once a second " + hint
	case every%time.Second != 0:
		return Schedule{}, "is not in whole seconds " + hint
	}
	return Schedule{every: every}, ""
}

// parseAt reads one instant, which has its own offset.
func parseAt(words []string, zone *time.Location) (Schedule, string) {
	const hint = `(hint: "@at 2026-12-24T18:00:00+01:00"; Z in place of the offset is UTC)`
	if zone != time.UTC {
		return Schedule{}, "has a time zone before @at, whose instant has its own offset " + hint
	}
	if len(words) != 1 {
		return Schedule{}, "needs one instant after @at " + hint
	}
	at, err := time.Parse(time.RFC3339, words[0])
	switch {
	case err != nil:
		return Schedule{}, fmt.Sprintf("has %q for an instant %s", words[0], hint)
	case at.Nanosecond() != 0:
		return Schedule{}, "is not in whole seconds " + hint
	case at.Year() < 1970 || at.Year() > 9000:
		return Schedule{}, "is in no year that a clock shows " + hint
	}
	return Schedule{at: at.UTC()}, ""
}

// descriptors are the short names of common specs.
func descriptors() map[string]string {
	return map[string]string{
		"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
		"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
	}
}

func parseDescriptor(words []string, zone *time.Location) (Schedule, string) {
	fields, known := descriptors()[words[0]]
	switch {
	case !known:
		return Schedule{}, fmt.Sprintf("has %s, which is none of @yearly, @monthly, @weekly, @daily, @hourly, @every and @at", words[0])
	case len(words) > 1:
		return Schedule{}, fmt.Sprintf("has %q after %s, which stands alone", words[1], words[0])
	}
	return parseFields(strings.Fields(fields), zone)
}

// field is what one of the five may hold.
type field struct {
	name   string
	option cron.ParseOption
	values string // for people
	size   int    // how many values there are
	every  string // the unit of an @every that says what too large a step may have meant
}

func fields() []field {
	return []field{
		{"minute", cron.Minute, "0 to 59", 60, "m"},
		{"hour", cron.Hour, "0 to 23", 24, "h"},
		{"day of month", cron.Dom, "1 to 31", 31, ""},
		{"month", cron.Month, "1 to 12 or jan to dec", 12, ""},
		{"day of week", cron.Dow, "0 to 7 or sun to sat; Sunday is 0 or 7", 7, ""},
	}
}

func parseFields(words []string, zone *time.Location) (Schedule, string) {
	all := fields()
	switch {
	case len(words) == len(all)+1:
		return Schedule{}, fmt.Sprintf("has 6 fields, not five: seconds cannot be given (hint: %q)", strings.Join(words[1:], " "))
	case len(words) != len(all):
		return Schedule{}, fmt.Sprintf("has %d fields, not five: minute, hour, day of month, month, day of week (hint: \"0 9 * * *\" is daily at 9)", len(words))
	}
	words = slices.Clone(words)
	words[4] = sundays(words[4])
	for i, f := range all {
		if why := f.judge(words[i]); why != "" {
			return Schedule{}, why
		}
	}
	parsed, err := cron.ParseStandard("CRON_TZ=UTC " + strings.Join(words, " "))
	spec, ok := parsed.(*cron.SpecSchedule)
	if err != nil || !ok {
		return Schedule{}, fmt.Sprintf("cannot be read: %v", err)
	}
	leapYear := time.Date(2003, time.December, 31, 0, 0, 0, 0, time.UTC)
	if spec.Next(leapYear).IsZero() {
		return Schedule{}, fmt.Sprintf("never fires: no month of %q has a day %s (hint: \"0 0 28 2 *\", \"0 0 1 * *\")", words[3], words[2])
	}
	return Schedule{fields: *spec, words: [5]string(words), zone: zone}, ""
}

// itemForm is what may stand between the commas of a field. The library would take more,
// and mean something else by it: "*-5" is "*" to it, and an empty item is nothing.
var itemForm = regexp.MustCompile(`^([*?]|([0-9]{1,4}|[A-Za-z]{3})(-([0-9]{1,4}|[A-Za-z]{3}))?)(/([0-9]{1,4}))?$`)

// resultOf says what is wrong with one field.
func (f field) judge(text string) string {
	for item := range strings.SplitSeq(text, ",") {
		if !itemForm.MatchString(item) {
			return fmt.Sprintf("has %q for %s, which is no number, range (1-5), list (1,15) or step (*/10)", text, f.name)
		}
		_, after, _ := strings.Cut(item, "/")
		if step, err := strconv.Atoi(after); err == nil && step >= f.size {
			return f.tooFar(text, step)
		}
		if _, err := cron.NewParser(f.option).Parse(item); err != nil {
			return fmt.Sprintf("has %q for %s, which cannot be (hint: %s)", text, f.name, f.values)
		}
	}
	return ""
}

// tooFar tells of a step that leads out of its field, so that it would mean no step at all.
func (f field) tooFar(text string, step int) string {
	why := fmt.Sprintf("has %q for %s, a step beyond %s", text, f.name, f.values)
	if f.every != "" {
		why += fmt.Sprintf(" (hint: \"@every %d%s\")", step, f.every)
	}
	return why
}
