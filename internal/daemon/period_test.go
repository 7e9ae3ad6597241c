package daemon

import (
	"context"
	"io"
	"testing"
	"time"

	"mirror/scheduler"
)

// TestPeriodOfAReport is from the slot before to this one, whatever the days between them.
func TestPeriodOfAReport(t *testing.T) {
	for _, c := range []struct {
		name, spec, slot string
		missed           int
		want             string
	}{
		{"daily", "0 9 * * *", "2026-05-02T09:00:00Z", 0, "2026-05-01T09:00:00Z"},
		{"weekdays, over the weekend", "0 9 * * 1-5", "2026-05-04T09:00:00Z", 0, "2026-05-01T09:00:00Z"},
		{"weekdays, before the weekend", "0 9 * * 1-5", "2026-05-01T09:00:00Z", 0, "2026-04-30T09:00:00Z"},
		{"weekdays, two were missed", "0 9 * * 1-5", "2026-05-05T09:00:00Z", 2, "2026-04-30T09:00:00Z"},
		{"monthly", "@monthly", "2026-03-01T00:00:00Z", 0, "2026-02-01T00:00:00Z"},
		{"monthly, one was missed", "@monthly", "2026-03-01T00:00:00Z", 1, "2026-01-01T00:00:00Z"},
		{"clocks go forward", "CRON_TZ=Europe/Berlin 0 9 * * *", "2026-03-29T07:00:00Z", 0, "2026-03-28T08:00:00Z"},
		{"clocks go back", "CRON_TZ=Europe/Berlin 0 9 * * *", "2026-10-25T08:00:00Z", 0, "2026-10-24T07:00:00Z"},
		{"asked for between two slots", "0 9 * * 1-5", "2026-05-03T12:34:56Z", 0, "2026-05-01T09:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			slot, err := time.Parse(time.RFC3339, c.slot)
			if err != nil {
				t.Fatal(err)
			}
			r := &run{job: Job{Schedule: every(t, c.spec)}, slot: scheduler.Slot{At: slot, Missed: c.missed}}
			r.work.Report = func(_ context.Context, _ string, since, until time.Time, _ io.Writer) error {
				if got := since.Format(time.RFC3339); got != c.want || !until.Equal(slot) {
					t.Errorf("got %s to %s, want %s to %s", got, until, c.want, c.slot)
				}
				return nil
			}
			if err := r.report(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}
