package notify

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"

	"mirror/internal/netname"
)

// CheckURL checks the URL of a recipient without a request: that of a service, in the form that
// shoutrrr documents, or of a webhook. The error quotes nothing of the URL.
func CheckURL(address string) error {
	scheme, _, found := strings.Cut(address, "://")
	scheme = strings.ToLower(scheme)
	if !found {
		return fmt.Errorf("not a URL (hint: https://… or a service: %s)", strings.Join(services(), ", "))
	}
	u, err := url.Parse(address)
	switch {
	case err != nil && (scheme == "https" || scheme == "http"):
		return errors.New("the URL cannot be parsed")
	case err != nil:
		return incomplete(scheme)
	case isWebhook(u):
		return checkWebhook(u)
	}
	return checkService(u, address)
}

func checkWebhook(u *url.URL) error {
	switch {
	case u.Hostname() == "":
		return errors.New("the URL has no host")
	case u.User != nil:
		return errors.New("the URL must not contain a user name or password (hint: secret_env signs what is sent)")
	case u.Fragment != "":
		return errors.New("the URL must not have a fragment")
	case u.Scheme == "http" && !netname.IsLoopback(u.Hostname()):
		return errors.New("the URL must begin with https:// (hint: http:// is for this machine only)")
	}
	return nil
}

func checkService(u *url.URL, address string) error {
	name, inner, custom := strings.Cut(u.Scheme, "+")
	switch {
	case !slices.Contains(services(), name):
		return fmt.Errorf("the service is not known (hint: https://… or one of %s)", strings.Join(services(), ", "))
	case custom && inner == "http" && !netname.IsLoopback(u.Hostname()):
		return errors.New("the URL must use https (hint: http is for this machine only)")
	case name == "matrix": // shoutrrr would log in
		if _, secret := u.User.Password(); u.Hostname() == "" || !secret {
			return incomplete(name)
		}
	case locate(address) != nil:
		return incomplete(name)
	}
	return nil
}

// locate tries whether shoutrrr takes a URL. Some of its services index what may be missing.
func locate(address string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the service cannot read it")
		}
	}()
	_, err = (&router.ServiceRouter{}).Locate(address)
	return err
}

// services lists the names of the services that notify people.
func services() []string {
	names := slices.DeleteFunc((&router.ServiceRouter{}).ListServices(), func(name string) bool { return name == "logger" })
	slices.Sort(names)
	return names
}

// incomplete says how a service's URL is written.
func incomplete(service string) error {
	shape := map[string]string{
		"slack":    "slack://hook:${HOOK}@webhook",
		"telegram": "telegram://${TOKEN}@telegram?chats=@channel",
		"discord":  "discord://${TOKEN}@${WEBHOOK_ID}",
		"smtp":     "smtp://user:${PASSWORD}@mail.example.com:587/?from=mirror@example.com&to=me@example.com",
		"ntfy":     "ntfy://ntfy.sh/${TOPIC}",
		"gotify":   "gotify://gotify.example.com/${TOKEN}",
		"matrix":   "matrix://:${TOKEN}@matrix.example.com/?rooms=!room",
		"generic":  "generic://example.com/path",
	}[service]
	if shape == "" {
		return fmt.Errorf("the %s URL is not complete (hint: see shoutrrr's page on %s)", service, service)
	}
	return fmt.Errorf("the %s URL is not complete (hint: %s)", service, shape)
}
