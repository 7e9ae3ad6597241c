package reports

import "mirror/diff"

// explanation is a kind of drift, for people who meet it the first time.
type explanation struct{ what, why, todo string }

func explain(k diff.Kind) explanation {
	switch k {
	case diff.Missing:
		return explanation{"A page of the release is not there.",
			"The origin answers 404 or 410 where the other origins serve a page.",
			"Publish again. If it stays missing, look whether the target holds the file under this exact name: letter case and Unicode form count."}
	case diff.Stale:
		return explanation{"A page is that of an earlier release.",
			"The bytes are known: the origin served them before and has not turned to the new release.",
			"Publish again, then look at caches before the origin. A page that stays stale behind a CDN needs a purge."}
	case diff.Extra:
		return explanation{"A path is served that the release does not have.",
			"Visitors and search engines still find a page that was removed.",
			"Publish again: removed files are deleted last. If it stays, something else writes to this origin."}
	case diff.Altered:
		return explanation{"A page has bytes of no known release.",
			"Somebody or something between the build and the visitor changed the page, or the whole origin shows another site.",
			"mirror check --verbose shows how the bytes differ. Switch off what rewrites pages, or describe it under check.normalize."}
	case diff.Redirected:
		return explanation{"The origin sends the visitor elsewhere.",
			"A parked or closed account often answers with a redirect, and so does a server that names its own host.",
			"Look where the location leads. If it is the origin's host under another name, correct the origin's url."}
	case diff.Mistyped:
		return explanation{"The right bytes come in a type that browsers treat otherwise.",
			"A style sheet or script of the wrong type is not run, and a page of the wrong type is downloaded.",
			"Set the content type on the origin."}
	case diff.Headers:
		return explanation{"The right bytes come under other headers than configured.",
			"Caches and browsers treat the page otherwise than on the other origins.",
			"Set the headers on the origin, or remove them from check.headers."}
	}
	return explanation{"A page or an origin could not be judged.",
		"No answer, or none that says what visitors get. This never counts as agreeing.",
		"Look at the cause in the message: name resolution, connection, certificate, time-out or status."}
}
