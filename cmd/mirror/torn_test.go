package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirror/internal/publish"
)

// TestNoTornRelease reads all pages of the lab's origins while releases are committed, in
// both orders. No page is ever missing, and where commits are atomic (git and the
// registry) no old page is asked for and met once a new one was. That a bucket's pages
// never lack their assets is seen by TestKilledPublishConverges.
func TestNoTornRelease(t *testing.T) {
	r := newTrial(t)
	files, paths, _ := effectSite(0)
	r.write(files)
	r.publish(publish.Parallel)
	r.lab.Git.SetLag(50*time.Millisecond, 50*time.Millisecond)
	r.lab.Registry.SetLag(20*time.Millisecond, 50*time.Millisecond)
	bases := []string{r.lab.Git.URL, r.lab.S3.URL, r.lab.Registry.URL}
	reads := 0
	for edition := 1; edition <= 8; edition++ {
		files, _, mark := effectSite(edition)
		r.write(files)
		stop := crawl(t, bases, paths)
		r.publish([]publish.Mode{publish.Auto, publish.Parallel}[edition%2])
		seen := stop()
		for _, err := range seen.errs {
			t.Error(err)
		}
		for _, base := range bases {
			n, err := seen.whole(base, mark, base != r.lab.S3.URL)
			if err != nil {
				t.Errorf("edition %d: %v", edition, err)
			}
			reads += n
		}
	}
	t.Logf("%d pages read during 8 commits", reads)
}

// whole looks for missing pages of an origin and, where it is atomic, for mixed ones. It
// returns how many pages it looked at.
func (c *crawler) whole(base, mark string, atomic bool) (reads int, err error) {
	var firstNew, lastOld time.Time
	for url, views := range c.views {
		if !strings.HasPrefix(url, base) {
			continue
		}
		reads += len(views)
		for _, v := range views {
			if !strings.Contains(v.text, "edition=") {
				return reads, fmt.Errorf("%s is of no edition: %q", url, v.text)
			}
		}
		e := turnOf(views, mark)
		if e.newAnswered.IsZero() {
			return reads, fmt.Errorf("%s never turned", url)
		}
		if firstNew.IsZero() {
			firstNew = e.newAnswered
		}
		firstNew, lastOld = earlier(firstNew, e.newAnswered), later(lastOld, e.lastOld)
	}
	if atomic && lastOld.After(firstNew) {
		return reads, fmt.Errorf("%s showed an old page %s after a new one", base, lastOld.Sub(firstNew))
	}
	return reads, nil
}
