package scheduler_test

import (
	"fmt"
	"time"

	"mirror/scheduler"
)

// A spec is read in UTC, unless it names a zone. In spring 02:30 is left out in Berlin.
func ExampleSchedule_Next() {
	s, err := scheduler.Parse("CRON_TZ=Europe/Berlin 30 2 * * *")
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, time.March, 28, 0, 0, 0, 0, time.UTC)
	for range 2 {
		at = s.Next(at)
		fmt.Println(at.Format(time.RFC3339))
	}
	// Output:
	// 2026-03-28T01:30:00Z
	// 2026-03-30T00:30:00Z
}

// A spec that never fires is refused, with the reason.
func ExampleParse() {
	_, err := scheduler.Parse("0 0 31 2 *")
	fmt.Println(err != nil)
	// Output: true
}
