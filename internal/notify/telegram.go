package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	shoutrrr "github.com/nicholas-fedor/shoutrrr/pkg/services/chat/telegram"
)

// telegram sends messages by Telegram's bot API (https://core.telegram.org/bots/api#sendmessage).
// shoutrrr reads its URL and is not used to send: its client takes a network that fails for success.
type telegram struct {
	config *shoutrrr.Config
	client *http.Client
	api    string
	last   string          // the message that was tried last
	took   map[string]bool // the chats that took it: it is not sent to them again
}

func newTelegram(u *url.URL) (*telegram, error) {
	s := &shoutrrr.Service{}
	if err := s.Initialize(u, nil); err != nil {
		return nil, incomplete("telegram")
	}
	return &telegram{config: s.GetConfig(), client: newClient(), api: "https://api.telegram.org"}, nil
}

// chatMessage is what sendMessage takes. Without a parse mode the text is shown as it is.
type chatMessage struct {
	Chat    string `json:"chat_id"`
	Thread  int    `json:"message_thread_id,omitempty"`
	Text    string `json:"text"`
	Silent  bool   `json:"disable_notification"`
	Preview struct {
		Disabled bool `json:"is_disabled"`
	} `json:"link_preview_options"`
}

// Send sends the message to every chat. The error is of the first that did not take it.
func (t *telegram) Send(ctx context.Context, m Message) error {
	if m.ID != t.last {
		t.last, t.took = m.ID, map[string]bool{}
	}
	for _, chat := range t.config.Chats {
		if t.took[chat] {
			continue
		}
		id, thread, _ := strings.Cut(chat, ":")
		message := chatMessage{Chat: id, Text: m.Title + "\n" + m.Text, Silent: !t.config.Notification}
		message.Thread, _ = strconv.Atoi(thread) // 0, for none, where it is no number
		message.Preview.Disabled = true
		if err := t.sendOne(ctx, message); err != nil {
			return err
		}
		t.took[chat] = true
	}
	return nil
}

func (t *telegram) sendOne(ctx context.Context, message chatMessage) error {
	body, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	text, err := post(ctx, t.client, t.api+"/bot"+t.config.Token+"/sendMessage", http.Header{}, body)
	var answer struct {
		OK          bool   `json:"ok"`
		Description string `json:"description"`
		Parameters  struct {
			RetryAfter int `json:"retry_after"`
		} `json:"parameters"`
	}
	unread := json.Unmarshal(text, &answer)
	var r *refusal
	switch {
	case errors.As(err, &r):
		seconds := min(max(0, answer.Parameters.RetryAfter), int(maxRetryAfter/time.Second))
		r.after = max(r.after, time.Duration(seconds)*time.Second)
		return fmt.Errorf("%w: %s", err, answer.Description)
	case err != nil:
		return err
	case unread != nil || !answer.OK:
		return errors.New("its answer is not that of Telegram")
	}
	return nil
}
