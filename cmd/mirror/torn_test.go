package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/publish"
)

// TestNoTornRelease reads all pages of the lab's origins while releases are committed, in
// both orders. No page is ever missing, and where commits are atomic (git and the
// registry) no old page is asked for and met once a new one was. The bucket, whose pages
// are made to turn one after another, shows that the readers would have seen it. That its
// pages never lack their assets is seen by TestKilledPublishConverges.
func TestNoTornRelease(t *testing.T) {
	longtest.Skip(t, "reads all pages during several publishes")
	t.Parallel()
	r := newTrial(t)
	files, paths, _ := effectSite(0)
	r.write(files)
	r.publish(publish.Parallel)
	r.lab.Git.SetLag(50*time.Millisecond, 50*time.Millisecond)
	r.lab.Registry.SetLag(20*time.Millisecond, 50*time.Millisecond)
	bases := []string{r.lab.Git.URL, r.lab.S3.URL, r.lab.Registry.URL}
	reads, torn := 0, 0
	for edition := 1; edition <= 8 || torn == 0 && edition <= 40; edition++ {
		files, _, mark := effectSite(edition)
		r.write(files)
		r.lab.S3.SetTrickle(3*time.Millisecond*time.Duration(max(1, edition-8)), nil) // slower where readers on a busy machine saw nothing
		stop := crawlEvery(t, 3*time.Millisecond, bases, paths)                       // it shares the processors with what it watches
		r.publish([]publish.Mode{publish.Auto, publish.Parallel}[edition%2])
		seen := stop()
		for _, err := range seen.errs {
			t.Error(err)
		}
		for _, base := range bases {
			n, mixed, err := seen.whole(base, mark)
			if err != nil {
				t.Errorf("edition %d: %v", edition, err)
			}
			reads += n
			switch {
			case mixed <= 0:
			case base == r.lab.S3.URL:
				torn++
			default:
				t.Errorf("edition %d: %s showed an old page %s after a new one", edition, base, mixed)
			}
		}
	}
	if torn == 0 {
		t.Error("the readers are blind: the bucket's pages turned one by one, and they saw none of it")
	}
	t.Logf("%d pages read, %d commits to the bucket seen half done", reads, torn)
}

// whole looks for missing pages of an origin. It returns how many reads it looked at, and
// how long after a new page was met an old one was asked for.
func (c *crawler) whole(base, mark string) (reads int, mixed time.Duration, err error) {
	var firstNew, lastOld time.Time
	for url, views := range c.views {
		if !strings.HasPrefix(url, base) {
			continue
		}
		reads += len(views)
		for _, v := range views {
			if !strings.Contains(v.text, "edition=") {
				return reads, 0, fmt.Errorf("%s is of no edition: %q", url, v.text)
			}
		}
		e := turnOf(views, mark)
		if e.newAnswered.IsZero() {
			return reads, 0, fmt.Errorf("%s never turned", url)
		}
		if firstNew.IsZero() {
			firstNew = e.newAnswered
		}
		firstNew, lastOld = earlier(firstNew, e.newAnswered), later(lastOld, e.lastOld)
	}
	return reads, lastOld.Sub(firstNew), nil
}
