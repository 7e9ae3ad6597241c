package notify

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	shoutrrr "github.com/nicholas-fedor/shoutrrr/pkg/services/specialized/generic"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// generic sends what shoutrrr's generic service does, with a client of our own: shoutrrr does not look
// at the body of the answer, follows redirects and knows no context.
type generic struct {
	service *shoutrrr.Service
	header  http.Header // from parameters that begin with @
	client  *http.Client
}

// isGeneric reports whether a URL is one of the generic service: generic://host or generic+https://host.
func isGeneric(u *url.URL) bool {
	name, _, _ := strings.Cut(u.Scheme, "+")
	return name == shoutrrr.Scheme
}

func newGeneric(u *url.URL) (*generic, error) {
	g := &generic{service: &shoutrrr.Service{}, header: headersOf(u.Query()), client: newClient()}
	if u.Scheme != shoutrrr.Scheme {
		var err error
		if u, err = g.service.GetConfigURLFromCustom(u); err != nil {
			return nil, incomplete(shoutrrr.Scheme)
		}
	}
	if err := g.service.Initialize(u, nil); err != nil {
		return nil, incomplete(shoutrrr.Scheme)
	}
	return g, nil
}

// Send sends the message, and reads in the answer whether it was taken.
func (g *generic) Send(ctx context.Context, m Message) error {
	config := *g.service.Config
	text := cutBytes(m.Title+"\n"+m.Text, maxServiceText)
	payload, err := g.service.GetPayload(&config, types.Params{config.MessageKey: text})
	if err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	body, err := io.ReadAll(payload)
	if err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	header := http.Header{"Content-Type": {config.ContentType}}
	if config.Template == "" {
		header.Set("Content-Type", "text/plain")
	}
	header.Set("Accept", header.Get("Content-Type"))
	for name, values := range g.header {
		header[name] = values
	}
	answer, err := send(ctx, g.client, strings.ToUpper(config.RequestMethod), config.WebhookURL().String(), header, body)
	if err != nil {
		return err
	}
	return refusedInBody(answer)
}

// headersOf returns the headers that a URL's parameters set: @Authorization=… is one as it is written,
// @apiKey=… is Api-Key, as shoutrrr has it.
func headersOf(query url.Values) http.Header {
	header := http.Header{}
	for key, values := range query {
		name, found := strings.CutPrefix(key, "@")
		if !found || name == "" {
			continue
		}
		var dashed strings.Builder
		for i, c := range name {
			if i > 0 && 'A' <= c && c <= 'Z' && name[i-1] != '-' {
				dashed.WriteByte('-')
			}
			dashed.WriteRune(c)
		}
		header.Set(dashed.String(), values[0])
	}
	return header
}
