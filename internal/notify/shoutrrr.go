package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// service sends messages through shoutrrr.
type service struct {
	address   string
	scheme    string
	abandoned chan attempt // an attempt that was given up and has not ended
}

// attempt is how one came out, and of which message.
type attempt struct {
	id  string
	err error
}

func newService(address string) *service {
	scheme, _, _ := strings.Cut(address, "://")
	scheme, _, _ = strings.Cut(strings.ToLower(scheme), "+")
	return &service{address: address, scheme: scheme}
}

// Send hands a message to the service and waits for it to be taken. shoutrrr knows no
// context, so that an attempt may go on after ctx is done: then the next one waits for it
// first, and no two ever run at once.
func (s *service) Send(ctx context.Context, m Message) error {
	if s.abandoned != nil {
		select {
		case last := <-s.abandoned:
			s.abandoned = nil
			if last.id == m.ID && last.err == nil {
				return nil // it was told after all
			}
		case <-ctx.Done():
			return errors.New("an earlier attempt has not ended yet")
		}
	}
	result := make(chan attempt, 1)
	go func() { result <- attempt{m.ID, s.send(m)} }()
	select {
	case done := <-result:
		return done.err
	case <-ctx.Done():
		s.abandoned = result
		return fmt.Errorf("no answer in time: %w", ctx.Err())
	}
}

// send makes one attempt, with a service of its own: some change while they send.
func (s *service) send(m Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the service panicked: %v", p)
		}
	}()
	located, err := (&router.ServiceRouter{}).Locate(s.address)
	if err != nil {
		return err
	}
	text, params := m.Title+"\n"+m.Text, types.Params{}
	if s.hasTitle() {
		text = m.Text
		params.SetTitle(m.Title)
	}
	return located.Send(s.fit(text), &params)
}

// hasTitle reports whether the service shows a title apart from the text.
func (s *service) hasTitle() bool {
	switch s.scheme {
	case "smtp", "ntfy", "gotify", "pushover", "pushbullet", "bark", "join":
		return true
	}
	return false
}

// fit cuts a text to what the service takes where that is less than what messages hold.
func (s *service) fit(text string) string {
	switch s.scheme {
	case "pushover": // characters
		return cut(text, 1000)
	case "wecom": // bytes
		return cutBytes(text, 2000)
	}
	return cutBytes(text, maxServiceText)
}

// maxServiceText bounds a text in bytes: ntfy makes a file of more.
const maxServiceText = 4000

func cutBytes(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	end := bytes - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
