package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	plainToken = "ghp_Zk39QpL0vTtX81mNeWcR57"
	oddSecret  = `p@ss/"w<ö>rd'&+%=x 12\7`
)

// echoes are the ways in which a server or a command may repeat a secret.
func echoes(secret string) map[string]string {
	inJSON, err := json.Marshal(secret)
	if err != nil {
		panic(err)
	}
	twice, err := json.Marshal(string(inJSON))
	if err != nil {
		panic(err)
	}
	var inXML bytes.Buffer
	if err := xml.EscapeText(&inXML, []byte(secret)); err != nil {
		panic(err)
	}
	lower := func(escaped string) string { return strings.ToLower(escaped) }
	return map[string]string{
		"plain": secret, "upper case": strings.ToUpper(secret), "query": url.QueryEscape(secret), "path": url.PathEscape(secret),
		"query, lower": lower(url.QueryEscape(secret)), "path, lower": lower(url.PathEscape(secret)), "all escaped": percent(secret),
		"JSON": string(inJSON), "JSON in JSON": string(twice), "quoted": strconv.Quote(secret), "HTML": html.EscapeString(secret), "XML": inXML.String(),
		"base64": base64.StdEncoding.EncodeToString([]byte(secret)), "base64, raw": base64.RawStdEncoding.EncodeToString([]byte(secret)),
		"base64url": base64.URLEncoding.EncodeToString([]byte(secret)), "base64url, raw": base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"basic":            base64.StdEncoding.EncodeToString([]byte("me:" + secret)),
		"basic, git":       base64.StdEncoding.EncodeToString([]byte("x-access-token:" + secret)),
		"basic, no user":   base64.URLEncoding.EncodeToString([]byte(":" + secret)),
		"base64 of a line": base64.StdEncoding.EncodeToString([]byte("token=" + secret + "\nand more")),
		"hex":              hex.EncodeToString([]byte(secret)), "in a path": "/deploy/" + url.PathEscape(secret) + "/x",
		"in a query": "/x?a=b&token=" + url.QueryEscape(secret) + "&c=d", "in a URL": "https://u:" + url.PathEscape(secret) + "@host/",
		"cut at the end": secret[:len(secret)-4], "cut at the start": secret[5:],
	}
}

// leaks returns a piece of a secret that gives it away and is left in a text, "" without any.
func leaks(scrubbed, secret string) string {
	for _, f := range formsOf(secret) {
		need := needed(secret, f, false)
		for at := 0; at+need <= len(f); at++ {
			if strings.Contains(fold(scrubbed), fold(f[at:at+need])) {
				return f[at : at+need]
			}
		}
	}
	return ""
}

func TestEveryFormIsScrubbed(t *testing.T) {
	for _, secret := range []string{plainToken, oddSecret, "0123456789abcdef0123456789abcdef01234567", "correct-horse-battery-staple", "hunter2hunter"} {
		s := New()
		s.Add("test", secret)
		for how, text := range echoes(secret) {
			if strings.HasPrefix(how, "cut") && len(secret) < 20 || how == "upper case" && strings.ContainsFunc(secret, func(c rune) bool { return c > '~' }) {
				continue // not promised
			}
			said := "Cannot POST \t" + text + " (try again)"
			got := s.Scrub(said)
			if left := leaks(got, secret); left != "" || !strings.Contains(got, Masked) {
				t.Errorf("%s of %q: %q is left in %q", how, secret, left, got)
			}
			if !strings.HasPrefix(got, "Cannot POST \t") || !strings.HasSuffix(got, " (try again)") {
				t.Errorf("%s of %q: sound text is gone: %q", how, secret, got)
			}
		}
	}
}

func TestChunksAreJoined(t *testing.T) {
	s := New()
	s.Add("test", plainToken)
	s.Add("test", oddSecret)
	for _, secret := range []string{plainToken, oddSecret} {
		for how, text := range echoes(secret) {
			if strings.HasPrefix(how, "cut at the start") {
				continue
			}
			whole := "before " + text + " after\n" + text
			for _, size := range []int{1, 2, 3, 7, 16, 1000} {
				var out bytes.Buffer
				w := s.Writer(&out)
				for part := range slices.Chunk([]byte(whole), size) {
					if n, err := w.Write(part); n != len(part) || err != nil {
						t.Fatal(n, err)
					}
				}
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				if want := s.Scrub(whole); out.String() != want && leaks(out.String(), secret) != "" {
					t.Errorf("%s in chunks of %d: got %q, want %q", how, size, out.String(), want)
				}
			}
		}
	}
}

func TestALineIsNotHeldBack(t *testing.T) {
	s := New()
	s.Add("test", plainToken)
	var out bytes.Buffer
	w := s.Writer(&out)
	for _, text := range []string{"wait...", "line\n", "Folder [public]: "} {
		out.Reset()
		if _, err := fmt.Fprint(w, text); err != nil || out.String() != text {
			t.Errorf("of %q came %q, %v", text, out.String(), err)
		}
	}
	out.Reset()
	fmt.Fprint(w, "the ghp_Zk39")
	if out.String() != "the " {
		t.Errorf("what may be a secret was not held back: %q", out.String())
	}
	fmt.Fprint(w, "stops")
	if out.String() != "the ghp_Zk39stops" {
		t.Errorf("what was held back is lost: %q", out.String())
	}
}

func TestWeakSecretsDamageNothing(t *testing.T) {
	s := New()
	for _, weak := range []string{"", "1", "main", "true", "false", "12345", "8080808080", "production", "------------", "a-a-a-a-a-a", "Password"} {
		s.Add("variable "+weak, weak)
	}
	text := "main: true, 12345 of 8080808080 in production ------------ password"
	if got := s.Scrub(text); got != text {
		t.Errorf("got %q", got)
	}
	if got := s.Weak(); len(got) != 10 {
		t.Errorf("weak ones: %q", got)
	}
	s.Add("short", "hunter2")
	for text, want := range map[string]string{
		"hunter2": Masked, "user=hunter2&x": "user=" + Masked + "&x", `{"a":"\nhunter2"}`: `{"a":"\n` + Masked + `"}`, "hunter22 ahunter2": "hunter22 ahunter2",
	} {
		if got := s.Scrub(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestSoundOutputStays(t *testing.T) {
	s := New()
	s.Add("token", plainToken)
	s.Add("hex token", "00112233445566778899aabbccddeeff00112233")
	s.AddURL("webhook", "https://ci.example.com/api/hooks/deploy/Zk39QpL0vTtX81mNeW?ref=main")
	s.AddUserinfo("git", "https://me:"+oddSecret[:1]+"@github.com/me/site.git")
	r := rand.New(rand.NewPCG(1, 2))
	var sound strings.Builder
	for range 20_000 {
		var digest [32]byte
		for i := range digest {
			digest[i] = byte(r.Uint32())
		}
		fmt.Fprintf(&sound, "%x  api/hooks/deploy/page-%d.html\nhttps://ci.example.com/api/%s\n", digest, r.Uint32(), base64.StdEncoding.EncodeToString(digest[:]))
	}
	if got := s.Scrub(sound.String()); got != sound.String() {
		t.Error("sound output was damaged")
	}
}

func TestURLs(t *testing.T) {
	for address, want := range map[string]map[string]string{
		"https://ci.example.com/deploy/SECRETtoken99": {
			"Cannot POST /deploy/SECRETtoken99":         "Cannot POST ***",
			"unknown hook SECRETtoken99":                "unknown hook ***",
			"https://ci.example.com/deploy/other":       "https://ci.example.com/deploy/other",
			"see https://ci.example.com/deploy/ for it": "see https://ci.example.com/deploy/ for it",
		},
		"https://h/x?token=a1b2c3d4e5&ref=main": {"no a1b2c3d4e5 on main": "no *** on main"},
		"slack://hook:T0000AAAA-B0000BBBB-Cc3Dd4@webhook": {
			"invalid T0000AAAA-B0000BBBB-Cc3Dd4": "invalid ***", "webhook failed": "webhook failed"},
		"telegram://123456789:AAFabcdefGHIJ-k_l@telegram?chats=@channel": {
			"https://api.telegram.org/bot123456789:AAFabcdefGHIJ-k_l/send": "https://api.telegram.org/bot123456789:***/send", "@channel": "@channel"},
		"smtp://me:Pw0rdlong1@mail.example.com:587/?from=a@example.com&to=b@example.com": {
			"mail.example.com said no to Pw0rdlong1": "mail.example.com said no to ***"},
		"https://me:%zz9secret9zz@h/": {"no %zz9secret9zz": "no ***"},
	} {
		s := New()
		s.AddURL("test", address)
		for text, want := range want {
			if got := s.Scrub(text); got != want {
				t.Errorf("%s: got %q, want %q", address, got, want)
			}
		}
	}
}

func TestNoSecretCostsNothing(t *testing.T) {
	var none *Scrubber
	none.Add("x", plainToken)
	none.AddURL("x", "https://h/"+plainToken)
	for _, s := range []*Scrubber{none, New()} {
		text := []byte("some text with " + plainToken)
		if got := s.Bytes(text); &got[0] != &text[0] {
			t.Error("it was copied")
		}
		if n := testing.AllocsPerRun(10, func() { s.Bytes(text) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func FuzzJSONStaysReadable(f *testing.F) {
	f.Add("nhunter2secret", "\nhunter2secret")
	f.Add("26abcdefghijkl", "&abcdefghijkl")
	f.Add(oddSecret, oddSecret)
	f.Fuzz(func(t *testing.T, secret, text string) {
		s := New()
		s.Add("test", secret)
		document, err := json.Marshal(map[string]any{"text": text + secret + text, secret: []int{1, 22222222}})
		if err != nil {
			t.Skip()
		}
		if got := s.Bytes(document); !json.Valid(got) {
			t.Errorf("%q makes %s of %s", secret, got, document)
		}
	})
}

func BenchmarkScrub(b *testing.B) {
	s := New()
	for i := range 12 {
		s.Add("test", fmt.Sprintf("%s%d%s", plainToken, i, oddSecret))
	}
	text := bytes.Repeat([]byte(`{"origin":"bucket","path":"about/index.html","url":"https://blog.example.com/about/","kind":"stale","want":"5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"}`+"\n"), 6000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.Bytes(text)
	}
}

// TestAccountsOfSSHAreNoSecrets keeps the word deploy where it is the name of an account.
func TestAccountsOfSSHAreNoSecrets(t *testing.T) {
	s := New()
	s.AddUserinfo("targets.url", "ssh://deployer@www.example.com/srv/www")
	s.AddUserinfo("targets.url", "ssh://someone:"+"correct-horse-7"+"@www.example.com/srv/www")
	if got := s.Scrub("deployer someone correct-horse-7"); !strings.HasPrefix(got, "deployer someone ") || strings.Contains(got, "horse") {
		t.Errorf("got %q", got)
	}
}
