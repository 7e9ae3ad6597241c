package notify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// said is the body of an answer, by the keys in lower case: services write errcode, ErrCode and
// StatusCode.
type said map[string]json.RawMessage

// refusedInBody is the error that an answer of success tells in its body, as many services do. Bodies
// that tell no error in a known form are no errors: the message would be sent again and again.
func refusedInBody(answer []byte) error {
	trimmed := bytes.TrimSpace(answer)
	// Teams connectors: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
	if bytes.HasPrefix(trimmed, []byte("Webhook message delivery failed")) {
		return fmt.Errorf("it answered 200 and refused the message: %s", cut(string(trimmed), maxLine))
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(trimmed, &all) != nil {
		return nil
	}
	s := said{}
	for key, value := range all {
		s[strings.ToLower(key)] = value
	}
	if what := s.refusal(); what != "" {
		return fmt.Errorf("it answered 200 with %s: %s", what, cmp.Or(cut(s.reason(), maxLine), "no reason was given"))
	}
	return nil
}

// refusal is what says in the body that the message was refused, "" for nothing.
func (s said) refusal() string {
	for _, key := range []string{"errcode", "errorcode", "error_code", "errno", "retcode"} { // DingTalk, WeCom, Matrix; Gotify; Telegram; ServerChan; OneBot
		if code := s.scalar(key); !none(code) && !good(code) {
			return key + " " + cut(code, maxLine)
		}
	}
	for _, key := range []string{"ok", "success"} { // Slack, Telegram; Rocket.Chat, Join
		if s.scalar(key) == "false" {
			return key + ": false"
		}
	}
	for _, key := range []string{"status", "result"} { // PagerDuty, Zulip, OneBot, LINE, Pushover
		if s.failed(key) {
			return key + " " + cut(s.scalar(key), maxLine)
		}
	}
	for _, key := range []string{"code", "statuscode", "status_code"} { // Feishu, Discord, ntfy, Bark, PushPlus; Feishu; Mattermost
		if code, err := strconv.Atoi(s.scalar(key)); err == nil && code != 0 && code/100 != 2 && !(key == "code" && code == 1 && s.reason() == "") && !good(s.reason()) {
			return key + " " + strconv.Itoa(code)
		}
	}
	for _, key := range []string{"error", "errors"} { // Gotify, Google Chat, Signal; Pushover, PagerDuty, GraphQL
		if s.holds(key) {
			return key
		}
	}
	if s["retry_after"] != nil && s["message"] != nil { // Discord
		return "retry_after"
	}
	return ""
}

// failed reports whether a key tells of failure in a word, in an HTTP status, or as Pushover does.
func (s said) failed(key string) bool {
	value := s.scalar(key)
	if status, err := strconv.Atoi(value); err == nil {
		return status >= 400 && status < 600 || status == 0 && key == "status" && s["request"] != nil
	}
	word := strings.ToLower(value)
	return slices.Contains([]string{"false", "error", "fail", "failed", "failure"}, word) || strings.HasPrefix(word, "invalid")
}

// scalar is a text, number or truth value as text, "" for anything else.
func (s said) scalar(key string) string {
	var text string
	if raw := s[key]; json.Unmarshal(raw, &text) != nil && len(raw) > 0 && !strings.ContainsRune("{[", rune(raw[0])) {
		return string(raw)
	}
	return text
}

// holds reports whether a key holds an error: an object or a list with something in it, or a text.
func (s said) holds(key string) bool {
	raw := bytes.TrimSpace(s[key])
	switch {
	case len(raw) == 0:
		return false
	case raw[0] == '{' || raw[0] == '[':
		inside := bytes.TrimSpace(raw[1 : len(raw)-1])
		return len(inside) > 0
	}
	value := s.scalar(key)
	return !none(value) && !good(value)
}

// reason is what the body says to people.
func (s said) reason() string {
	for _, key := range []string{"errmsg", "msg", "description", "errordescription", "errormessage", "statusmessage", "message", "error", "errors"} {
		if text := s.scalar(key); !none(text) {
			return text
		}
		if raw := s[key]; len(raw) > 2 && (raw[0] == '{' || raw[0] == '[') {
			return string(raw)
		}
	}
	return ""
}

// none reports whether a value stands for no error.
func none(value string) bool { return slices.Contains([]string{"", "0", "null", "false"}, value) }

// good reports whether a word says that all went well.
func good(word string) bool {
	return slices.Contains([]string{"ok", "success", "none", "200"}, strings.ToLower(word))
}
