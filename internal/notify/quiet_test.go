package notify

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func quiet(t *testing.T, text string) Quiet {
	t.Helper()
	q, err := ParseQuiet(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestQuietTimeEndsByTheClockOnTheWall(t *testing.T) {
	const berlin = " Europe/Berlin"
	for _, c := range []struct{ name, quiet, at, end string }{
		{"before", "22:00-07:00" + berlin, "2026-01-10T21:59:59+01:00", ""},
		{"first minute", "22:00-07:00" + berlin, "2026-01-10T22:00:00+01:00", "2026-01-11T07:00:00+01:00"},
		{"after midnight", "22:00-07:00" + berlin, "2026-01-11T00:30:10+01:00", "2026-01-11T07:00:00+01:00"},
		{"last second", "22:00-07:00" + berlin, "2026-01-11T06:59:59+01:00", "2026-01-11T07:00:00+01:00"},
		{"over", "22:00-07:00" + berlin, "2026-01-11T07:00:00+01:00", ""},
		{"by day", "12:00-13:30", "2026-01-11T12:10:00Z", "2026-01-11T13:30:00Z"},
		{"the night of spring is an hour shorter", "22:00-07:00" + berlin, "2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00"},
		{"the night of autumn is an hour longer", "22:00-07:00" + berlin, "2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"},
		{"an end that spring skips", "22:00-02:30" + berlin, "2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"a beginning that spring skips", "02:30-04:00" + berlin, "2026-03-29T03:10:00+02:00", "2026-03-29T04:00:00+02:00"},
		{"an end that autumn has twice", "22:00-02:30" + berlin, "2026-10-25T02:10:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"half an hour off", "22:00-07:00 Asia/Kolkata", "2026-01-10T22:30:00+05:30", "2026-01-11T07:00:00+05:30"},
		{"none", "", "2026-01-10T22:30:00Z", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			want := at
			if c.end != "" {
				if want, err = time.Parse(time.RFC3339, c.end); err != nil {
					t.Fatal(err)
				}
			}
			q := quiet(t, c.quiet)
			if got := q.end(at); !got.Equal(want) || q.at(at) != (c.end != "") {
				t.Errorf("ends %s, want %s", got, want)
			}
		})
	}
}

func TestQuietTimesThatAreNone(t *testing.T) {
	for _, text := range []string{"22:00", "22-7", "22:00-7:00", "25:00-07:00", "22:00-22:00", "22:00-07:00 Nowhere/At_All",
		"22:00-07:00 Local", "22:00-07:00 ../../etc/passwd", "a-b", " "} {
		if _, err := ParseQuiet(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if got := quiet(t, "22:00-07:00 Europe/Berlin").String(); got != "22:00-07:00 Europe/Berlin" {
		t.Errorf("written as %q", got)
	}
}

// TestTheNightIsToldInTheMorning begins at midnight UTC, as every bubble does.
func TestTheNightIsToldInTheMorning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		n := start(t, Recipient{Sender: p, Quiet: quiet(t, "22:00-07:00"), Urgent: []Kind{Unreachable}}, Options{})
		passing := opened("1", "bucket")
		n.Send(passing)
		time.Sleep(time.Hour)
		n.Send(closed(passing))
		lasting := opened("2", "pages")
		n.Send(lasting)
		time.Sleep(time.Hour)
		down := Event{Kind: Unreachable, Episode: "3", Origin: "image"}
		n.Send(down)
		time.Sleep(time.Minute)
		wantTold(t, p, "3 opened")
		n.Send(closed(down))
		time.Sleep(4*time.Hour + 58*time.Minute)
		wantTold(t, p, "3 opened", "3 closed")
		time.Sleep(2 * time.Minute)
		wantTold(t, p, "3 opened", "3 closed", "1 passed", "2 opened")
		if messages := p.messages(); len(messages) != 3 || messages[2].At.Hour() != 7 {
			t.Errorf("the night is not told in one message in the morning: %v", messages)
		}
		time.Sleep(16 * time.Hour)
		n.Send(closed(lasting))
		time.Sleep(time.Hour)
		stop(t, n)
		wantTold(t, p, "3 opened", "3 closed", "1 passed", "2 opened")
	})
}

func TestWhatANightHeldBackIsToldAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		r, o := Recipient{Name: "ops", Sender: p, Quiet: quiet(t, "22:00-07:00")}, Options{Ledger: NewMemory(100)}
		e := opened("1", "bucket")
		n := start(t, r, o)
		n.Send(e)
		time.Sleep(time.Hour)
		stop(t, n)
		n = start(t, r, o)
		n.Send(e)
		time.Sleep(7 * time.Hour)
		stop(t, n)
		wantTold(t, p, "1 opened")
	})
}

func TestANightOfManyEpisodesIsOneBoundedMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		n := start(t, Recipient{Sender: p, Quiet: quiet(t, "22:00-07:00")}, Options{})
		for i := range 100 {
			e := opened(fmt.Sprint(i), strings.Repeat("origin", 20)+fmt.Sprint(i))
			n.Send(e)
			time.Sleep(4 * time.Minute)
			n.Send(closed(e))
		}
		time.Sleep(time.Hour)
		stop(t, n)
		messages := p.messages()
		if len(messages) != 1 || len(messages[0].News) != 100 {
			t.Fatalf("%d messages", len(messages))
		}
		if m := messages[0]; m.Title != strings.Repeat("origin", 4)[:23]+"… recovered from 100 problems" || len([]rune(m.Title+"\n"+m.Text)) > 1500 {
			t.Errorf("%s\n%s", m.Title, m.Text)
		}
	})
}
