package reports

import "testing"

func TestPurgeInOneLine(t *testing.T) {
	for want, p := range map[string]Purge{
		"8 URLs at varnish, 9 requests in 12ms": {Caches: []string{"varnish"}, URLs: 8, Requests: 9, Rounds: 1, Elapsed: 12_000_000},
		"1 URL at varnish, cloudflare, 1 request in 12ms; 3 rounds; visible through the caches 180ms to 260ms after the purge began; failed: it answered 403": {
			Caches: []string{"varnish", "cloudflare"}, URLs: 1, Requests: 1, Rounds: 3, Elapsed: 12_000_000, Visible: &Span{180_000_000, 260_000_000}, Error: "it answered 403"},
	} {
		if got := p.summary(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
