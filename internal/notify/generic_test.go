package notify

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// sent is what a server gets of a request that matters to services.
type sent struct{ method, path, query, contentType, accept, authorization, custom, body string }

// TestGenericSendsWhatShoutrrrSends compares the requests for each parameter that shoutrrr documents.
func TestGenericSendsWhatShoutrrrSends(t *testing.T) {
	got := make(chan sent, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- sent{r.Method, r.URL.Path, r.URL.Query().Encode(), r.Header.Get("Content-Type"), r.Header.Get("Accept"),
			r.Header.Get("Authorization"), r.Header.Get("Api-Key"), string(body)}
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	message := compose([]News{{Change: Opened, Event: opened("1", "bucket").bounded(time.Now())}}, time.Now())
	for _, address := range []string{
		"generic://" + host + "/hook?disabletls=yes",
		"generic://" + host + "/hook?disabletls=yes&template=json",
		"generic://" + host + "/hook?disabletls=yes&template=JSON&messagekey=text&titlekey=subject&$channel=ops&$icon=x",
		"generic://" + host + "/hook?disabletls=yes&method=PUT&contenttype=application/x.y&template=json",
		"generic://" + host + "/hook?disabletls=yes&@Authorization=Bearer+s3cret&@apiKey=k&key=v&_title=own",
		"generic://user:pw@" + host + "/hook?disabletls=yes",
		"generic+http://" + host + "/hook?template=json&$channel=ops&@apiKey=k&a=b",
		"generic+http://" + host + "/hook?title=x",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := newGeneric(u)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		if err := newService(address).Send(t.Context(), message); err != nil {
			t.Fatalf("%s: shoutrrr: %v", address, err)
		}
		want := <-got
		if err := ours.Send(t.Context(), message); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		if ours := <-got; ours != want || want.body == "" {
			t.Errorf("%s: sent\n%+v\nand shoutrrr sends\n%+v", address, ours, want)
		}
	}
}

// TestGenericIsBounded has a server redirect, and one that does not answer.
func TestGenericIsBounded(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			<-release
			return
		}
		if r.URL.Path == "/elsewhere" {
			t.Error("a redirect is followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	defer close(release)
	for _, path := range []string{"/redirects", "/silent"} {
		u, err := url.Parse("generic+" + server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		g, err := newGeneric(u)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if path == "/silent" {
			cancel()
		}
		if err := g.Send(ctx, Message{Title: "title", Text: "text"}); err == nil {
			t.Errorf("%s is a success", path)
		}
		cancel()
	}
}
