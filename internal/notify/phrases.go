package notify

// phrases are how a kind of event is named to people.
type phrases struct {
	is   string // what happens, after the origin's name
	are  string // what happens to several origins
	was  string // what happened, as a clause of its own
	noun string
	next string // what to do next
}

func phrasesFor(k Kind) phrases {
	switch k {
	case Drift:
		return phrases{" does not serve the release", "do not serve the release", "it did not serve the release", "drifting",
			"mirror check shows every page; mirror publish puts the release back."}
	case Unreachable:
		return phrases{" is unreachable", "are unreachable", "it was unreachable", "unreachable",
			"check the host, its DNS name and its certificate."}
	case PublishFailed:
		return phrases{": publish failed", "publishes failed", "publishes failed", "a failed publish",
			"mirror plan shows what is left to do; mirror publish does it."}
	case Window:
		return phrases{": the origins disagreed for too long", "disagreed for too long", "the origins disagreed for too long",
			"a window over its limit", "mirror history shows which origin was late."}
	case Certificate:
		return phrases{": the certificate expires soon", "have certificates that expire soon", "the certificate was about to expire",
			"a certificate that expires soon", "renew the certificate: browsers refuse the site once it has expired."}
	case Overdue:
		return phrases{": checks are overdue", "have overdue checks", "a check was overdue", "an overdue check",
			"read the daemon's log: the origins are not being checked."}
	case Trial:
		return phrases{": test message", "have test messages", "a test message", "a test message", ""}
	}
	return phrases{" has a problem", "have problems", "it had a problem", string(k), ""}
}

// tense is when something is so.
type tense int

const (
	present tense = iota
	past
	noun // neither
)

// stateOf says of so many pages that they have a kind of drift.
func stateOf(kind string, pages int, t tense) string {
	verb := map[tense]string{present: "are ", past: "were "}[t]
	if pages == 1 {
		verb = map[tense]string{present: "is ", past: "was "}[t]
	}
	switch kind {
	case "mistyped":
		return verb + "served with a wrong type"
	case "headers":
		return verb + "served with wrong headers"
	case "extra":
		return verb + "served that the release does not have"
	}
	return verb + cut(plain(kind), 30)
}
