package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// canaries are the planted secrets by the place that they come from. Each has another shape:
// tokens, words, punctuation that every encoding escapes.
func canaries() map[string]string {
	return map[string]string{
		"token_env of a git target":               "ghp_C4naryGitTokenQ8w2Xz7LmN5v",
		"password in a git URL":                   "git/p@ss:w%rd+with&odd=chars-1",
		"secret_key_env of a bucket":              "S3cr3t/Key+of/the+Bucket/0123456789abcdef",
		"access_key_env of a bucket":              "AKIAC4NARYBUCKET0017",
		"session token of the AWS chain":          "FwoGZXIvYXdzEC4naryS3ss10nT0ken//////////wEaDH+/=Qq",
		"secret key of the AWS chain":             "Ch41nS3cr3tK3yOfTheSharedFile/+7777777",
		"password in docker's config":             "d0cker \"pass\" <word> & 'more' 42",
		"session token of a registry":             "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjNG5hcnkifQ.c1gn4tur3OfTheSess10n",
		"path of a rollout webhook":               "h00kT0kenInThePathOfTheRollout",
		"query of a rollout webhook":              "qu3ryT0ken~of~the~Rollout.99",
		"argument of a rollout command":           "correct-horse-battery-staple",
		"variable of the build":                   "b6d1f0c2a94e47f3b8a5d7e6c0918273645f",
		"path of a notify URL":                    "T0AAAAAAA-B0BBBBBBB-n0t1fyC4naryXy",
		"secret_env of a notify URL":              "s1gn-the-w3bhook-w1th-th1s",
		"token_env of the dashboard":              "d4shboardT0kenOfTheDaemon",
		"token in the remote of mirror init":      "glpat-1n1tR3m0teC4nary_77",
		"password of a proxy":                     "pr0xyP4ssw0rd!",
		"a variable that only the build inherits": "npm_0nlyInTheEnv1ronmentOfTheBu1ld",
	}
}

// encodings are the ways in which the servers and commands of this test repeat a secret.
func encodings(secret string) []string {
	inJSON, _ := json.Marshal(secret)
	query, path := url.QueryEscape(secret), url.PathEscape(secret)
	return []string{
		secret, query, strings.ToLower(query), path, strings.ToLower(path), string(inJSON[1 : len(inJSON)-1]), html.EscapeString(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)),
		base64.RawStdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte("x-access-token:" + secret)), base64.StdEncoding.EncodeToString([]byte("me:" + secret)),
	}
}

// traces are what must not be found anywhere: each encoding, and each piece of the plain
// secret that is long enough to be of use.
func traces(secret string) []string {
	all := encodings(secret)
	for at := 0; at+20 <= len(secret); at++ {
		all = append(all, secret[at:at+20])
	}
	return all
}

// known lists the secrets that a run knows before it asks anybody: all but those that it gets
// from a server, and those of another command. With few targets it knows none of the others'.
func known(few bool) (names []string) {
	others := []string{"session token of a registry", "token in the remote of mirror init"}
	if few {
		others = append(others, "token_env of a git target", "password in a git URL", "secret_key_env of a bucket", "access_key_env of a bucket",
			"session token of the AWS chain", "secret key of the AWS chain")
	}
	for name := range canaries() {
		if !slices.Contains(others, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// echo is what commands repeat: everything.
func echo(few bool) string {
	var text strings.Builder
	for _, name := range known(few) {
		text.WriteString("Cannot POST " + strings.Join(encodings(canaries()[name]), "\n") + "\n")
	}
	return text.String()
}

// parrot answers for every service of the world with all that it is not to say.
type parrot struct {
	mu   sync.Mutex
	next int
	few  bool // targets are asked: see known
	fail atomic.Bool
	got  bytes.Buffer // bodies of notifications
}

// says returns some secrets in all encodings; another call has others.
func (p *parrot) says() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	names := known(p.few)
	for range 4 {
		all = append(all, encodings(canaries()[names[p.next%len(names)]])...)
		p.next++
	}
	return "Cannot POST " + strings.Join(all, " ")
}

// ServeHTTP answers as the path asks: a git host, a bucket, a registry, a webhook, a site.
func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	said := p.says()
	w.Header().Set("X-Echo", strings.ReplaceAll(said, "\n", " "))
	switch {
	case strings.HasPrefix(r.URL.Path, "/notify/"):
		text, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.got.Write(text)
		p.mu.Unlock()
		if p.fail.Load() {
			http.Error(w, said+" "+r.URL.String(), http.StatusBadRequest)
		}
	case strings.HasPrefix(r.URL.Path, "/deploy/"):
		http.Error(w, said+" Cannot POST "+r.URL.String(), http.StatusBadGateway)
	case strings.HasPrefix(r.URL.Path, "/git/"):
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, said, r.Header.Get("Authorization"))
	case r.URL.Path == "/token":
		_ = json.NewEncoder(w).Encode(map[string]string{"token": canaries()["session token of a registry"]})
	case strings.HasPrefix(r.URL.Path, "/v2/"):
		p.registry(w, r, said)
	case strings.HasPrefix(r.URL.Path, "/s3"):
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>AccessDenied</Code><Message>%s %s</Message></Error>", html.EscapeString(said), html.EscapeString(r.Header.Get("X-Amz-Security-Token")))
	default:
		w.Header().Set("Location", "/elsewhere?"+url.QueryEscape(said))
		w.WriteHeader(http.StatusFound)
		fmt.Fprint(w, said)
	}
}

func (p *parrot) registry(w http.ResponseWriter, r *http.Request, said string) {
	if r.Header.Get("Authorization") == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="parrot"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": "DENIED", "message": strings.Join(encodings(canaries()["session token of a registry"]), " ") + said + r.Header.Get("Authorization")}}})
}
