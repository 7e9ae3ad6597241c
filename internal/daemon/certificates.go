package daemon

import (
	"fmt"
	"time"

	"mirror/diff"
	"mirror/internal/notify"
)

// nearEnd is how long before its end a certificate is told of: time enough to renew it by
// hand, and less than any service leaves that renews by itself.
const nearEnd = 14 * 24 * time.Hour

// notifyCertificates notifies once of each certificate that is near its end, and when it was
// renewed.
func (d *Daemon) notifyCertificates(v diff.Verdict) {
	now := time.Now()
	for _, o := range v.Origins {
		ends := o.Facts.Expires
		if ends.IsZero() {
			continue
		}
		event := notify.Event{
			Kind: notify.Certificate, Episode: fmt.Sprintf("certificate/%s/%d", o.Name, ends.Unix()), Origin: o.Name,
			Lines:  []string{"It ends on " + ends.UTC().Format("2006-01-02 15:04 MST") + "."},
			Opened: ends.Add(-nearEnd), URL: d.link("origins/" + o.Name),
		}
		d.mu.Lock()
		before, open := d.alarms.certificates[o.Name]
		delete(d.alarms.certificates, o.Name)
		near := now.After(event.Opened)
		if near {
			d.alarms.certificates[o.Name] = event
		}
		d.mu.Unlock()
		if open && before.Episode != event.Episode {
			before.Closed = now
			d.sender().Send(before)
		}
		if near {
			d.sender().Send(event)
		}
	}
}
