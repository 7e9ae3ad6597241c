package diff

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"mirror/site"
)

// Judge compares what an origin answered for a path with the release. ok is true where
// they agree. What could not be judged is a difference of the kind Unreachable, never an
// agreement.
func Judge(want Expectation, o site.Observation) (d Difference, ok bool) {
	d, ok = judge(want, o)
	if !ok && o.PastCaches != nil {
		_, d.Cached = judge(want, *o.PastCaches)
		d.Detail += d.behindCaches()
	}
	return d, ok
}

// behindCaches tells people what serves it.
func (d Difference) behindCaches() string {
	if d.Cached {
		return "; only caches serve it, past them the origin serves the release"
	}
	return ""
}

func judge(want Expectation, o site.Observation) (d Difference, ok bool) {
	d = Difference{Path: want.File.Path, URL: o.URL, Want: want.File.Digest, Got: o.Digest, Status: o.Status, WrongStatus: !want.has(o.Status), Asked: o.Asked, Answered: o.Answered}
	switch {
	case o.Err != nil && (!errors.Is(o.Err, site.ErrTooLong) || errors.Is(o.Err, site.ErrBomb)):
		d.Kind, d.Detail = Unreachable, o.Err.Error()
	case isRedirect(o.Status):
		return d, judgeRedirect(want, o, &d)
	case want.Folder:
		return d, judgeFolder(want.File, o, &d)
	case want.NotFound:
		return d, judgeNotFound(want, o, &d)
	case want.Absent:
		return d, judgeAbsent(want, o, &d)
	default:
		return d, judgePage(want.File, o, &d)
	}
	return d, false
}

func judgeNotFound(want Expectation, o site.Observation, d *Difference) bool {
	d.Kind = Altered
	configured := !want.File.Digest.IsZero()
	switch {
	case o.Status == http.StatusForbidden && !configured: // a bucket that may not be listed
		return true
	case o.Status >= 200 && o.Status < 300, o.Status == http.StatusForbidden:
		d.Detail = fmt.Sprintf("a path that does not exist answers %d, not 404 with the not-found page", o.Status)
		return false
	case o.Status != http.StatusNotFound && o.Status != http.StatusGone:
		d.Kind, d.Detail = Unreachable, fmt.Sprintf("a path that does not exist answers %d", o.Status)
		return false
	case configured && o.Digest != want.File.Digest:
		d.Detail = fmt.Sprintf("%s, which does not exist, answers %d with other bytes than the not-found page's (hint: have the server send that page, or drop site.not_found)", o.URL, o.Status)
		return false
	}
	return true
}

func judgeAbsent(want Expectation, o site.Observation, d *Difference) bool {
	switch {
	case want.gone(o):
		return true
	case o.Status >= 200 && o.Status < 300:
		d.Kind, d.Detail = Extra, "served, and no part of the release"
	case IsRefusal(o.Status):
		d.Kind, d.Detail = Unreachable, fmt.Sprintf("answered %d, which does not tell whether the removed page is still there (%s)", o.Status, want.removed().Absence)
	default:
		d.Kind, d.Detail = Unreachable, fmt.Sprintf("answered %d", o.Status)
	}
	return false
}

// judgeFolder agrees with the folder's own page, with a redirect that stays on the host, and
// with what says that there is no such page.
func judgeFolder(want site.File, o site.Observation, d *Difference) bool {
	switch {
	case o.Status >= 500, o.Status == http.StatusTooManyRequests:
		d.Kind, d.Detail = Unreachable, fmt.Sprintf("answered %d", o.Status)
		return false
	case o.Status >= 200 && o.Status < 300 && o.Digest != want.Digest && o.Raw != want.Digest:
		d.Kind, d.Detail = Altered, "a folder without its slash answers another page than the folder's"
		return false
	}
	return true
}

func judgePage(want site.File, o site.Observation, d *Difference) bool {
	switch {
	case o.Status == http.StatusNotFound, o.Status == http.StatusGone:
		d.Kind, d.Detail = Missing, fmt.Sprintf("answered %d", o.Status)
	case o.Status != http.StatusOK && (o.Status < 200 || o.Status >= 300):
		d.Kind, d.Detail = Unreachable, fmt.Sprintf("answered %d", o.Status)
	case o.Status != http.StatusOK:
		d.Kind, d.Detail = Altered, fmt.Sprintf("answered %d, not 200", o.Status)
	case o.Err != nil && o.Raw != want.Digest: // too long, which an archive that servers unpack may be
		d.Kind, d.Detail = Altered, fmt.Sprintf("over %d bytes, want %d: %v", o.Size, want.Size, o.Err)
	case o.Digest != want.Digest && o.Raw != want.Digest:
		d.Kind, d.Detail = Altered, alteration(want, o)
	default:
		return judgeRendering(want, o, d)
	}
	return false
}

// judgeRendering judges what a browser makes of the right bytes.
func judgeRendering(want site.File, o site.Observation, d *Difference) bool {
	if to := RefreshTo(o.Header.Get("Refresh")); to != "" && !leadsBack(o.URL, to) {
		d.Kind, d.Location, d.Detail = Redirected, to, "the right bytes, and a Refresh header that leads on"
		return false
	}
	d.Kind = Mistyped
	if Attached(o.Header) && roleOf(site.ContentType(want.Path, nil)) != "" {
		d.Detail = "sent as a download (Content-Disposition: attachment)"
		return false
	}
	var ok bool
	d.Detail, ok = judgeType(want.Path, o.Header.Get("Content-Type"))
	return ok
}

// leadsBack reports whether a page leads to itself.
func leadsBack(page, to string) bool {
	from, err := url.Parse(page)
	if err != nil {
		return false
	}
	target, err := from.Parse(to)
	return err == nil && target.String() == from.String()
}

func alteration(want site.File, o site.Observation) string {
	switch {
	case o.Size == 0:
		return fmt.Sprintf("an empty body, want %d bytes", want.Size)
	case want.Size == 0: // and not its digest: the size is unknown
		return fmt.Sprintf("other bytes, %d of them", o.Size)
	case o.Size == want.Size:
		return fmt.Sprintf("other bytes of the same size, %d", want.Size)
	}
	return fmt.Sprintf("%d bytes, want %d", o.Size, want.Size)
}
