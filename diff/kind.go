package diff

// Kind names a drift.
type Kind string

// The kinds of drift, most telling first.
const (
	Missing     Kind = "missing"     // a page of the release is not there
	Stale       Kind = "stale"       // the bytes are those of an earlier release
	Extra       Kind = "extra"       // a path is served that the release does not have
	Altered     Kind = "altered"     // the bytes are of no known release
	Redirected  Kind = "redirected"  // the origin sends the visitor elsewhere
	Mistyped    Kind = "mistyped"    // the right bytes, in a type that browsers treat otherwise
	Headers     Kind = "headers"     // the right bytes under other headers than configured
	Unreachable Kind = "unreachable" // it could not be judged
)

// KindInfo is what every report says of a kind of drift.
type KindInfo struct {
	Kind  Kind
	Short string // a clause that can follow the kind's name and a colon
	What  string // a sentence, as the next two
	Why   string // why it matters, or how it comes about
	Todo  string // what to do about it
	// Severity orders differences for people: the higher, the worse for a visitor.
	Severity int
	// Mild says that visitors get the right bytes: reports call it a warning, not an error.
	Mild bool
	// Bytes says that the bytes, or the path, may be those of an earlier release: releases
	// of the past are searched for them.
	Bytes bool
}

// KindInfos lists the kinds of drift, most telling first. A new kind is a constant, an entry
// here, and what finds it.
func KindInfos() []KindInfo {
	return []KindInfo{
		{
			Kind: Missing, Severity: 6, Bytes: true, Short: "a page of the release is not there",
			What: "A page of the release is not there.",
			Why:  "The origin answers 404 or 410 where the other origins serve a page.",
			Todo: "Publish again. If it stays missing, look whether the target holds the file under this exact name: letter case and Unicode form count.",
		}, {
			Kind: Stale, Severity: 5, Short: "the bytes are those of an earlier release",
			What: "A page is that of an earlier release.",
			Why:  "The bytes are known: the origin served them before and has not turned to the new release.",
			Todo: "Publish again, then look at caches before the origin. A page that stays stale behind a CDN needs a purge.",
		}, {
			Kind: Extra, Severity: 4, Bytes: true, Short: "a path is served that the release does not have",
			What: "A path is served that the release does not have.",
			Why:  "Visitors and search engines still find a page that was removed.",
			Todo: "Publish again: removed files are deleted last. If it stays, something else writes to this origin.",
		}, {
			Kind: Altered, Severity: 8, Bytes: true, Short: "the bytes are of no known release",
			What: "A page has bytes of no known release.",
			Why:  "The page was changed between the build and the visitor, or the whole origin shows another site.",
			Todo: "mirror check --verbose shows how the bytes differ. Switch off what rewrites pages, or describe it under check.normalize.",
		}, {
			Kind: Redirected, Severity: 7, Short: "visitors are sent elsewhere",
			What: "The origin sends the visitor elsewhere.",
			Why:  "A parked or closed account often answers with a redirect, and so does a server that names its own host.",
			Todo: "Look where the location leads. If it is the origin's host under another name, correct the origin's url.",
		}, {
			Kind: Mistyped, Severity: 3, Mild: true, Short: "the right bytes, in a type that browsers treat otherwise",
			What: "The right bytes come in a type that browsers treat otherwise.",
			Why:  "A style sheet or script of the wrong type is not run, and a page of the wrong type is downloaded.",
			Todo: "Set the content type on the origin.",
		}, {
			Kind: Headers, Severity: 2, Mild: true, Short: "the right bytes under other headers than configured",
			What: "The right bytes come under other headers than configured.",
			Why:  "Caches and browsers treat the page otherwise than on the other origins.",
			Todo: "Set the headers on the origin, or remove them from check.headers.",
		}, {
			Kind: Unreachable, Severity: 1, Short: "it could not be judged",
			What: "A page or an origin could not be judged.",
			Why:  "No answer, or none that says what visitors get. This never counts as agreeing.",
			Todo: "Look at the cause in the message: name resolution, connection, certificate, time-out or status.",
		},
	}
}

// Kinds lists the kinds of drift, most telling first.
func Kinds() []Kind {
	var all []Kind
	for _, info := range KindInfos() {
		all = append(all, info.Kind)
	}
	return all
}

// Info is what reports say of a kind. Of a kind that another version of mirror recorded it
// has the name alone.
func (k Kind) Info() KindInfo {
	for _, info := range KindInfos() {
		if info.Kind == k {
			return info
		}
	}
	return KindInfo{Kind: k}
}
