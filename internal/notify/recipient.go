package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Sender delivers messages to one place. The context ends the attempt.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Recipient is one address that notifications are sent to.
type Recipient struct {
	Name   string // in logs and in the ledger; "" for one made of the URL's service or host
	URL    Secret // a webhook or a service; CheckURL judges it
	Key    Secret // signs what a webhook gets; "" for no signature
	On     []Kind // nil for everything
	Quiet  Quiet
	Urgent []Kind // told in the quiet time too
	// Sender delivers in place of what URL names.
	Sender Sender
}

// String returns the recipient's name and its URL without secrets.
func (r Recipient) String() string {
	return strings.TrimSpace(r.Name + " " + Redact(string(r.URL)))
}

// sender returns what delivers to the recipient's URL.
func (r Recipient) sender() (Sender, error) {
	address := string(r.URL)
	if r.Sender != nil {
		return r.Sender, nil
	}
	if err := CheckURL(address); err != nil {
		return nil, fmt.Errorf("%s: %w", Redact(address), err)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the URL cannot be parsed")
	case isWebhook(u):
		return newWebhook(address, string(r.Key)), nil
	case isGeneric(u):
		return newGeneric(u)
	case u.Scheme == "telegram":
		return newTelegram(u)
	}
	return newService(address), nil
}

// named returns the recipients, each with a name that no other has.
func named(recipients []Recipient) []Recipient {
	taken := map[string]bool{}
	for _, r := range recipients {
		taken[r.Name] = true
	}
	all := append([]Recipient(nil), recipients...)
	for i := range all {
		if all[i].Name != "" {
			continue
		}
		base := placeOf(string(all[i].URL))
		name := base
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		taken[name] = true
		all[i].Name = name
	}
	return all
}

// placeOf is what Redact shows of a URL, as a name: a service's, or a webhook's host.
func placeOf(address string) string {
	scheme, rest, _ := strings.Cut(Redact(address), "://")
	if host := strings.TrimSuffix(rest, "/"+masked); host != rest {
		return host
	}
	return scheme
}
