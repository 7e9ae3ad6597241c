package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestRedact(t *testing.T) {
	for address, want := range map[string]string{
		"slack://hook:A-B-C@webhook":              "slack://***",
		"https://hooks.example.com/services/T0/x": "https://hooks.example.com/***",
		"https://me:pw@hooks.example.com:8443/":   "https://hooks.example.com:8443/***",
		"HTTPS://hooks.example.com?token=x":       "https://hooks.example.com/***",
		"generic+https://host/token":              "generic+https://***",
		"https://%zz/secret":                      "https://***",
		"https:///secret":                         "https://***",
		"just-a-secret":                           "***",
		"5ecre7://x":                              "***",
		"":                                        "***",
	} {
		if got := Redact(address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}

// leaks returns a piece of a secret that stands in a text, "" without any.
func leaks(text, secret string) string {
	text = strings.ToLower(text)
	for i := 0; i+6 <= len(secret); i++ {
		if piece := strings.ToLower(secret[i : i+6]); strings.Contains(text, piece) {
			return piece
		}
	}
	return ""
}

// echo is a sender that fails in every way that tells its URL.
type echo struct{ texts []string }

func (e echo) Send(context.Context, Message) error {
	return &url.Error{Op: "Post", URL: e.texts[0], Err: errors.New(strings.Join(e.texts, " and "))}
}

func token(r *rand.Rand, n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range n {
		b.WriteByte(letters[r.IntN(len(letters))])
	}
	return b.String()
}

// shapes are URLs with a %s for a secret.
func shapes() []string {
	return []string{
		"slack://hook:%s@webhook", "slack://%s", "telegram://123456789:%s@telegram?chats=@a", "telegram://%s@telegram",
		"discord://%s@123", "smtp://me:%s@127.0.0.1:1/?from=a@b.c&to=d@e.f", "ntfy://:%s@127.0.0.1:1/topic", "ntfy://127.0.0.1:1/%s?scheme=http",
		"gotify://127.0.0.1:1/%s", "generic://127.0.0.1:1/%s?disabletls=yes", "generic+http://127.0.0.1:1/%s", "matrix://me:%s@127.0.0.1:1/",
		"http://127.0.0.1:1/%s", "https://127.0.0.1:1/?token=%s", "https://me:%s@127.0.0.1:1/", "https://127.0.0.1:1/#%s", "nosuch://%s",
		"pushover://shoutrrr:%s@user/", "mattermost://127.0.0.1:1/%s", "rocketchat://127.0.0.1:1/%s/x", "teams://%s", "%s", "https://%%zz/%s",
		"opsgenie://127.0.0.1:1/%s", "bark://%s@127.0.0.1:1", "zulip://a:%s@127.0.0.1:1", "generic://127.0.0.1:1/?@Authorization=%s&disabletls=yes",
	}
}

// TestNothingPrintsASecret looks at all that leaves the package: errors, logs, strings, JSON.
func TestNothingPrintsASecret(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, shape := range shapes() {
		for range 3 {
			secret, signing := token(r, 12+r.IntN(30)), token(r, 20)
			address := fmt.Sprintf(shape, secret)
			for what, text := range everything(t, address, secret, signing) {
				for _, s := range []string{secret, signing} {
					if piece := leaks(text, s); piece != "" {
						t.Errorf("%s: %s tells %q: %s", shape, what, piece, text)
					}
				}
			}
		}
	}
}

// everything is what the package says of a recipient, in all its ways to fail.
func everything(t *testing.T, address, secret, signing string) map[string]string {
	t.Helper()
	recipient := Recipient{URL: Secret(address), Key: Secret(signing)}
	said := map[string]string{"redact": Redact(address), "string": recipient.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		said["verb "+verb] = fmt.Sprintf(verb, recipient) + fmt.Sprintf(verb, &recipient) + fmt.Sprintf(verb, recipient.URL)
	}
	text, err := json.Marshal(recipient)
	said["json"] = string(text) + fmt.Sprint(err)
	said["check"] = fmt.Sprint(CheckURL(address))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said["test"] = fmt.Sprint(Test(ctx, []Recipient{recipient}))
	n, err := New([]Recipient{recipient}, Options{})
	said["new"] = fmt.Sprint(err)
	if n != nil {
		_ = n.Close(ctx)
	}
	var log strings.Builder
	escaped := url.QueryEscape(secret) + " " + url.PathEscape(secret) + " " + strings.ToUpper(secret) + " " + secret[:7] + " " + secret[3:]
	recipient.Sender = echo{[]string{address, secret, signing, escaped}}
	said["echo"] = fmt.Sprint(Test(ctx, []Recipient{recipient}))
	c := newCourier(recipient, recipient.Sender, Options{Logger: slog.New(slog.NewJSONHandler(&log, nil))}.filled())
	c.box.cover, c.box.sent = func([]string) {}, func(string) bool { return false }
	c.box.take(opened("1", "bucket"), time.Now())
	c.deliver(ctx, c.box.batch(time.Now(), true), time.Now())
	said["log"] = log.String()
	if !strings.Contains(said["log"], "a notification was not delivered") {
		t.Error("the log says nothing")
	}
	return said
}

// TestAServerThatEchoesIsNotQuoted sends the secrets of the request back in the answer.
func TestAServerThatEchoesIsNotQuoted(t *testing.T) {
	const secret = "Sup3rS3cretT0kenOfTheHook"
	address, _ := receiver(t, func(_ int, w http.ResponseWriter) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"ok":false,"description":"no `+secret+`"}`)
	})
	for _, to := range []string{address + "/" + secret, strings.Replace(address, "http://", "generic://", 1) + "/" + secret + "?disabletls=yes",
		strings.Replace(address, "http://", "ntfy://", 1) + "/" + secret + "?scheme=http"} {
		got := Test(t.Context(), []Recipient{{URL: Secret(to)}})
		if got[0].Err == nil || leaks(fmt.Sprint(got), secret) != "" {
			t.Errorf("got %v", got)
		}
	}
}

func FuzzScrubbedTextsHoldNoSecret(f *testing.F) {
	f.Add("hunter2hunter2", "post https://a/hunter2hunter2 failed")
	f.Add("ab%2Fcdefgh", "xab/cdefghx")
	f.Add("aaaaaaa", "aaaaaaaaaaaaaaa")
	f.Add("******", "* ****** *")
	f.Fuzz(func(t *testing.T, secret, text string) {
		got := newScrubber("slack://"+secret, secret).clean(text + secret + text)
		if piece := leaks(strings.ReplaceAll(got, masked, ""), strings.ReplaceAll(secret, "*", "")); piece != "" && isPlain(secret) && isPlain(text) {
			t.Errorf("%q is left in %q", piece, got)
		}
	})
}

// isPlain reports whether a text is of letters and digits, so that taking the stars out of
// what was scrubbed joins no two pieces by chance.
func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c < '!' || c > '~' || c == '*' })
}
