package compare_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/compare"
	"mirror/internal/origin"
)

// carrier answers requests in the time of synctest; nil for no answer at all.
type carrier func(n int, r *http.Request) *http.Response

type counted struct {
	answer carrier
	turns  chan int
}

func newCounted(answer carrier) *counted {
	c := &counted{answer: answer, turns: make(chan int, 1)}
	c.turns <- 1
	return c
}

// RoundTrip answers, or waits until the request is given up.
func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	n := <-c.turns
	c.turns <- n + 1
	if resp := c.answer(n, r); resp != nil {
		resp.Request = r
		return resp, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func page(text string) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain"}}, Body: http.NoBody, ContentLength: int64(len(text))}
}

// TestComparisonsEndInTime has one of three origins hang, from the beginning and half-way.
func TestComparisonsEndInTime(t *testing.T) {
	const timeout = 10 * time.Second
	var many []string
	for i := range 100 {
		many = append(many, strings.Repeat("x", i+1))
	}
	for name, c := range map[string]struct {
		answers int // before it hangs
		most    time.Duration
	}{
		"from the beginning": {0, timeout + 2*time.Second},
		"half-way":           {50, 2 * (timeout + 2*time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				well := func(int, *http.Request) *http.Response { return page("same") }
				hangs := func(n int, _ *http.Request) *http.Response {
					if n <= c.answers {
						return page("same")
					}
					return nil
				}
				var origins []origin.Endpoint
				for host, answer := range map[string]carrier{"a": well, "b": well, "c": hangs} {
					origins = append(origins, origin.Endpoint{Name: host, URL: &url.URL{Scheme: "http", Host: host + ".example", Path: "/"},
						Options: origin.Options{Concurrency: 4, Timeout: timeout, Confirm: 1, Transport: newCounted(answer)}})
				}
				began := time.Now()
				v, err := compare.Run(t.Context(), origins, many, compare.Options{Named: true})
				if took := time.Since(began); err != nil || took > c.most {
					t.Errorf("took %s, want at most %s; %v", took, c.most, err)
				}
				for _, o := range v.Origins {
					if o.Name == "c" && o.Err == nil {
						t.Error("the origin that hangs is not told of")
					}
				}
			})
		})
	}
}
