package scheduler

import (
	"regexp"
	"strconv"
	"strings"
)

// dayRange is an item of the field for the day of the week that may end on Sunday written as 7, or as
// sun behind another day.
var dayRange = regexp.MustCompile(`(?i)^([0-7]|sun|mon|tue|wed|thu|fri|sat)(?:-(7|sun))?(?:/([1-6]))?$`)

// sundays writes Sunday as 0 wherever the field for the day of the week has it as 7, as crontab(5) allows,
// or as the end of a range: 7, 5-7, 1-7/2, fri-sun. The library knows it as 0 alone.
func sundays(text string) string {
	items := strings.Split(text, ",")
	for i, item := range items {
		if m := dayRange.FindStringSubmatch(item); m != nil && (m[1] == "7" || m[2] != "") {
			if strings.EqualFold(m[1], m[2]) {
				m[1] = "7"
			}
			items[i] = daysUntilSunday(m[1], m[3])
		}
	}
	return strings.Join(items, ",")
}

// daysUntilSunday lists the days from a first one to the Sunday after it, by a step.
func daysUntilSunday(first, step string) string {
	day := strings.Index("sunmontuewedthufrisat", strings.ToLower(first)) / 3
	if n, err := strconv.Atoi(first); err == nil {
		day = n
	}
	by, err := strconv.Atoi(step)
	if err != nil {
		by = 1
	}
	var days []string
	for ; day <= 7; day += by {
		days = append(days, strconv.Itoa(day%7))
	}
	return strings.Join(days, ",")
}
