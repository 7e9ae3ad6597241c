package notify

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Quiet is a time of each day at which only urgent notifications are sent, in the local time of a
// zone. The zero value is no such time.
type Quiet struct {
	from, to int // minutes since midnight; to may lie on the next day
	zone     *time.Location
}

// ParseQuiet reads "22:00-07:00 Europe/Berlin". The zone may be left out, which is UTC. ""
// is no quiet time.
func ParseQuiet(text string) (Quiet, error) {
	if text == "" {
		return Quiet{}, nil
	}
	hours, zone, _ := strings.Cut(text, " ")
	from, to, found := strings.Cut(hours, "-")
	if !found {
		return Quiet{}, errors.New("not a time of day (hint: 22:00-07:00 Europe/Berlin)")
	}
	q := Quiet{zone: time.UTC}
	for _, part := range []struct {
		text string
		into *int
	}{{from, &q.from}, {to, &q.to}} {
		at, err := time.Parse("15:04", part.text)
		if err != nil || len(part.text) != len("15:04") {
			return Quiet{}, errors.New("the times must be written as 22:00 (hint: 22:00-07:00 Europe/Berlin)")
		}
		*part.into = at.Hour()*60 + at.Minute()
	}
	if q.from == q.to {
		return Quiet{}, errors.New("begin and end are the same (hint: to send nothing to a recipient, remove it from the config)")
	}
	return q.in(zone)
}

// in returns the quiet time in a zone of the IANA database, "" for UTC.
func (q Quiet) in(name string) (Quiet, error) {
	if name == "Local" { // depends on the machine, unlike the rest of a config
		return Quiet{}, errors.New("the time zone must be a name of the IANA database (hint: Europe/Berlin)")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return Quiet{}, errors.New("the time zone is not known (hint: Europe/Berlin)")
	}
	q.zone = zone
	return q, nil
}

// String returns the quiet time as the config writes it.
func (q Quiet) String() string {
	if q.zone == nil {
		return ""
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d %s", q.from/60, q.from%60, q.to/60, q.to%60, q.zone)
}

// at reports whether a moment lies in the quiet time.
func (q Quiet) at(t time.Time) bool {
	if q.zone == nil {
		return false
	}
	t = t.In(q.zone)
	minute := t.Hour()*60 + t.Minute()
	if q.from < q.to {
		return q.from <= minute && minute < q.to
	}
	return minute >= q.from || minute < q.to
}

// end returns the first moment from t on that is not quiet. It looks at every minute, which
// is right on the days too on which the clocks change.
func (q Quiet) end(t time.Time) time.Time {
	if !q.at(t) {
		return t
	}
	for t = t.Truncate(time.Minute); q.at(t); {
		t = t.Add(time.Minute)
	}
	return t
}
