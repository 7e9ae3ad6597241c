package notify

// words are how a kind of event is spoken of.
type words struct {
	is, are, was string // after the origin's name
	noun         string
	next         string // what to do next
}

func wordsFor(k Kind) words {
	switch k {
	case Drift:
		return words{"drifts", "drift", "was drifting", "drift", "mirror check shows every page; mirror publish puts the release back."}
	case Unreachable:
		return words{"is unreachable", "are unreachable", "was unreachable", "unreachable",
			"see whether the host, its name and its certificate are as they should be."}
	case PublishFailed:
		return words{"publish failed", "publishes failed", "publish was failing", "publish failing",
			"mirror plan shows what is left to do; mirror publish tries again."}
	case Window:
		return words{"window is over its limit", "windows are over their limit", "window was over its limit", "window over its limit",
			"mirror history shows which origin was late."}
	case Certificate:
		return words{"certificate is near its end", "certificates are near their end", "certificate was near its end",
			"certificate near its end", "renew it before browsers refuse the site."}
	case Overdue:
		return words{"checks are overdue", "checks are overdue", "checks were overdue", "checks overdue",
			"see the daemon's log: nobody is looking at the origins."}
	case Trial:
		return words{"test message", "test messages", "test message", "test message", ""}
	}
	return words{"needs a look", "need a look", "needed a look", string(k), ""}
}
