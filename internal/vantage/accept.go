package vantage

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"mirror/diff"
)

// The bounds of what an agent may say. It is another machine's word: what it says of a page that it was
// not dealt, or more than fits, makes the whole result void.
const (
	maxText    = 2 << 10 // bytes of a detail or an error; a longer one is cut
	maxExtras  = 64      // differences beside those of pages: for paths that never existed, folders, the whole origin
	maxReads   = 1 << 32 // bytes and requests
	maxElapsed = 24 * time.Hour
)

// errFalse says that an agent's result cannot be true.
var errFalse = errors.New("the result does not fit what was dealt")

// accept returns what a result says, as far as it can be true. asked and answered are when its item was
// sent and when the result came, by the coordinator's clock: all that the agent did lies between.
func accept(item Item, r Result, asked, answered time.Time) ([]diff.OriginVerdict, error) {
	if len(r.Origins) != len(item.Origins) {
		return nil, fmt.Errorf("%w: %d origins, %d were dealt", errFalse, len(r.Origins), len(item.Origins))
	}
	dealt := map[string]bool{"*": true, "not-found": true, item.NotFound: true}
	pages := 0
	for _, f := range item.Files {
		if !f.Known {
			pages++
			dealt[f.Path] = true
		}
	}
	for _, path := range item.Absent {
		dealt[path] = true
	}
	var all []diff.OriginVerdict
	for i, seen := range r.Origins {
		at := item.Origins[i]
		v := seen.OriginVerdict
		v.Err = nil
		if seen.Failure != "" {
			v.Err = errors.New(cut(seen.Failure))
		}
		if err := plausible(v, at, dealt, pages, len(item.Absent)); err != nil {
			return nil, err
		}
		tidy(&v, asked, answered)
		all = append(all, v)
	}
	return all, nil
}

// plausible checks a verdict against what was dealt.
func plausible(v diff.OriginVerdict, at Origin, dealt map[string]bool, pages, absent int) error {
	switch {
	case v.Name != at.Name || v.URL != at.URL:
		return fmt.Errorf("%w: it is of %q at %q, dealt was %s", errFalse, cut(v.Name), cut(v.URL), at.Name)
	case v.Pages < 0 || v.Pages > pages || v.Match < 0 || v.Match > v.Pages || v.Err == nil && v.Pages != pages:
		return fmt.Errorf("%w: %d of %d pages agree, %d were dealt", errFalse, v.Match, v.Pages, pages)
	case len(v.Differences) > pages+absent+maxExtras || len(v.Noise) > pages || v.Recovered < 0 || v.Recovered > pages+absent+maxExtras || v.Trusted != 0:
		return fmt.Errorf("%w: %d differences on %d pages", errFalse, len(v.Differences), pages)
	case v.Requests < 0 || v.Requests > maxReads || v.Bytes < 0 || v.Elapsed < 0 || v.Elapsed > maxElapsed:
		return fmt.Errorf("%w: %d requests, %d bytes, %s", errFalse, v.Requests, v.Bytes, v.Elapsed)
	}
	for _, d := range v.Differences {
		if !dealt[d.Path] || d.Origin != at.Name || !knownKind(d.Kind) || d.Pages < 0 || d.Pages > pages || d.Tolerated != "" {
			return fmt.Errorf("%w: %s %q on %q", errFalse, cut(string(d.Kind)), cut(d.Path), cut(d.Origin))
		}
	}
	for _, path := range v.Noise {
		if !dealt[path] {
			return fmt.Errorf("%w: noise at %q", errFalse, cut(path))
		}
	}
	return nil
}

func knownKind(k diff.Kind) bool { return k.Info().What != "" }

// tidy leaves out what only the coordinator can tell, bounds the texts, and puts the coordinator's own
// times in the place of the agent's.
func tidy(v *diff.OriginVerdict, asked, answered time.Time) {
	v.Places, v.Tolerated = nil, ""
	v.Slowest = v.Slowest[:min(len(v.Slowest), maxSlowest)]
	tidyFacts(&v.Facts)
	first, last := "", ""
	for _, look := range v.Times.Looks {
		if !look.Asked.IsZero() {
			first, last = earlier(first, look.From), max(last, look.To)
		}
	}
	v.Times = diff.Times{ErrAsked: asked, ErrAnswered: answered}
	if last != "" {
		v.Times.Looks = diff.Looks{{From: first, To: last, Asked: asked, Answered: answered}}
	}
	for i := range v.Differences {
		d := &v.Differences[i]
		d.Detail, d.URL, d.Location, d.Excerpt = cut(d.Detail), cut(d.URL), cut(d.Location), ""
		d.Places, d.LookedFrom, d.Release, d.Behind, d.Earlier = nil, 0, "", 0, false
		// It was answered by then, and not asked for before: the reverse of what bounds a look.
		d.Asked, d.Answered = asked, answered
	}
}

const maxSlowest = 5

// What of the facts an agent may say at most.
const (
	maxNames    = 10
	maxExamples = 5
)

func tidyFacts(f *diff.Facts) {
	f.Protocol, f.TLS, f.HSTS, f.Issuer = cut(f.Protocol), cut(f.TLS), cut(f.HSTS), cut(f.Issuer)
	f.Mixed, f.MixedActive, f.MixedPages = max(0, f.Mixed), max(0, f.MixedActive), max(0, f.MixedPages)
	f.Names, f.MixedExamples = f.Names[:min(len(f.Names), maxNames)], f.MixedExamples[:min(len(f.MixedExamples), maxExamples)]
	for i := range f.Names {
		f.Names[i] = cut(f.Names[i])
	}
	for i := range f.MixedExamples {
		r := &f.MixedExamples[i]
		r.Page, r.Element, r.URL = cut(r.Page), cut(r.Element), cut(r.URL)
	}
	if f.Plain != nil {
		f.Plain.Location, f.Plain.Err = cut(f.Plain.Location), cut(f.Plain.Err)
	}
}

func earlier(a, b string) string {
	if a == "" {
		return b
	}
	return min(a, b)
}

func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	text = text[:maxText]
	for len(text) > 0 && !utf8.ValidString(text[len(text)-1:]) {
		text = text[:len(text)-1]
	}
	return text
}
