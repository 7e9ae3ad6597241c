package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"mirror/reports"
	"mirror/reports/html"
)

// idDigits is how long a release's ID is: a SHA-256 in hexadecimal.
const idDigits = 64

// maxRequest bounds the body of a request for work, in bytes.
const maxRequest = 4 << 10

// plainWork is work about which a request says nothing.
func plainWork(start func(ctx context.Context) error) work {
	if start == nil {
		return nil
	}
	return func(*http.Request) (func(context.Context) error, error) { return start, nil }
}

// rollbackWork is a rollback to the release that the body of a request names, {"release": "ID"}, or to the one before
// where there is no body.
func rollbackWork(start func(ctx context.Context, release string) error) work {
	if start == nil {
		return nil
	}
	return func(r *http.Request) (func(context.Context) error, error) {
		release, err := requestedRelease(r.Body)
		return func(ctx context.Context) error { return start(ctx, release) }, err
	}
}

// requestedRelease reads the first digits of a release's ID, "" for none.
func requestedRelease(body io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxRequest+1))
	if err != nil || len(text) > maxRequest {
		return "", errors.New("the body cannot be read, or is too long")
	}
	if len(text) == 0 {
		return "", nil
	}
	var asked struct {
		Release string `json:"release"`
	}
	if err := json.Unmarshal(text, &asked); err != nil {
		return "", errors.New(`the body must be JSON such as {"release": "3f9a1c"}`)
	}
	release := strings.ToLower(asked.Release)
	if len(release) > idDigits || strings.Trim(release, "0123456789abcdef") != "" {
		return "", errors.New("the release must be an ID, or the first digits of one")
	}
	return release, nil
}

// rollbackJob is the name of the job of rollbacks, "" where none can be started.
func (d *Dashboard) rollbackJob() string {
	if d.options.Rollback == nil || d.options.Token == "" {
		return ""
	}
	for _, job := range d.options.Jobs() {
		if job.Run == "rollback" {
			return job.Name
		}
	}
	return ""
}

// offerRollback adds to the page of a publish the job that would put its release live again, and the release that is live
// now, unless there is nothing to offer.
func (d *Dashboard) offerRollback(ctx context.Context, page *html.Publish) error {
	job := d.rollbackJob()
	if job == "" || !wentLive(page.Publish) {
		return nil
	}
	all, err := d.reader.Publishes(ctx, 0, recentPublishes)
	live := slices.IndexFunc(all, wentLive) // the newest come first
	if err != nil || live < 0 || all[live].Release == page.Publish.Release {
		return err
	}
	page.RollbackJob, page.Live = job, all[live].Release
	return nil
}

// wentLive reports whether a publish put its release live, or found it live.
func wentLive(p reports.PeriodPublish) bool {
	return p.Outcome == "live" || p.Outcome == "diverged" || p.Outcome == "unchanged"
}
