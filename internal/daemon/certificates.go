package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/notify"
)

// nearEnd is how long before its end a certificate is told of: time enough to renew it by
// hand, and less than any service leaves that renews by itself.
const nearEnd = 14 * 24 * time.Hour

// notifyCertificates notifies once of each certificate that is near its end, and when it was
// renewed.
func (d *Daemon) notifyCertificates(ctx context.Context, v diff.Verdict) {
	now, turned := time.Now(), false
	for _, o := range v.Origins {
		ends := o.Facts.Expires
		if ends.IsZero() {
			continue
		}
		event := notify.Event{
			Kind: notify.Certificate, Episode: fmt.Sprintf("certificate/%s/%d", o.Name, ends.Unix()), Origin: o.Name,
			Title: "the certificate expires on " + ends.UTC().Format("2006-01-02 15:04 MST"),
			Lines: []string{"It ends on " + ends.UTC().Format("2006-01-02 15:04 MST") + "."}, Ended: "the certificate was renewed",
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
		turned = turned || near != open || before.Episode != event.Episode && open
		if open && before.Episode != event.Episode {
			before.Closed = now
			d.send(before)
		}
		if near {
			d.send(event)
		}
	}
	if turned {
		d.saveAlarms(ctx)
	}
}

// dropCertificates ends the alarms of origins that the config does not name any more.
func (d *Daemon) dropCertificates(ctx context.Context, origins []string) {
	var ended []notify.Event
	d.mu.Lock()
	for origin, event := range d.alarms.certificates {
		if !slices.Contains(origins, origin) {
			delete(d.alarms.certificates, origin)
			event.Closed, event.Ended = time.Now(), "the origin is no longer in the config: its certificate is not looked at"
			ended = append(ended, event)
		}
	}
	d.mu.Unlock()
	for _, event := range ended {
		d.send(event)
	}
	if len(ended) > 0 {
		d.saveAlarms(ctx)
	}
}
