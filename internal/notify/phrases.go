package notify

// phrases are how a kind of event is spoken of.
type phrases struct {
	is, are, was string // after the origin's name
	noun         string
	next         string // what to do next
}

func phrasesFor(k Kind) phrases {
	switch k {
	case Drift:
		return phrases{"drifts", "drift", "was drifting", "drift", "mirror check shows every page; mirror publish puts the release back."}
	case Unreachable:
		return phrases{"is unreachable", "are unreachable", "was unreachable", "unreachable",
			"see whether the host, its name and its certificate are as they should be."}
	case PublishFailed:
		return phrases{"publish failed", "publishes failed", "publish was failing", "publish failing",
			"mirror plan shows what is left to do; mirror publish tries again."}
	case Window:
		return phrases{"window is over its limit", "windows are over their limit", "window was over its limit", "window over its limit",
			"mirror history shows which origin was late."}
	case Certificate:
		return phrases{"certificate is near its end", "certificates are near their end", "certificate was near its end",
			"certificate near its end", "renew it before browsers refuse the site."}
	case Overdue:
		return phrases{"checks are overdue", "checks are overdue", "checks were overdue", "checks overdue",
			"see the daemon's log: the origins are not being checked."}
	case Trial:
		return phrases{"test message", "test messages", "test message", "test message", ""}
	}
	return phrases{"needs a look", "need a look", "needed a look", string(k), ""}
}
