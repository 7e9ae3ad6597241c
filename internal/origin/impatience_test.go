package origin

import (
	"net/http/httptrace"
	"net/url"
	"testing"
	"time"

	"mirror/site"
)

// An attempt that ran out of time says how far it had come.
func TestAnAttemptSaysHowFarItCame(t *testing.T) {
	client := New(Endpoint{URL: &url.URL{Scheme: "https", Host: "blog.example.com", Path: "/"}, Options: Options{Timeout: time.Minute}})
	defer client.Close()
	for want, come := range map[string]func(trace *httptrace.ClientTrace){
		"no connection in 1m0s":                 func(*httptrace.ClientTrace) {},
		"the TLS handshake did not end in 1m0s": func(trace *httptrace.ClientTrace) { trace.TLSHandshakeStart() },
		"no answer in 1m0s": func(trace *httptrace.ClientTrace) {
			trace.TLSHandshakeStart()
			trace.GotConn(httptrace.GotConnInfo{})
		},
	} {
		a := client.attempt(t.Context(), request{})
		come(httptrace.ContextClientTrace(a.traced()))
		if got := a.impatience(site.Observation{}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		a.end()
	}
}
