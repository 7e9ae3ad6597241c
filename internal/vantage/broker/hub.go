package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"mirror/internal/vantage"
)

// HubOptions say how the places of a config are reached.
type HubOptions struct {
	Dir         string // of the places
	Listen      string // of the embedded broker; "" for an external one
	URL         string // of an external broker
	Credentials string // file, for it
	Owner       string // tells this coordinator from others; a token of a subject
	Transient   bool   // it ends soon: results that come later are of no use to it
	Log         *slog.Logger
}

// Hub is a coordinator, with the embedded broker where no other process of the folder runs one.
type Hub struct {
	*Coordinator
	server *Server
}

// Open connects a coordinator, and runs the embedded broker for it if no other process does.
func Open(ctx context.Context, o HubOptions) (*Hub, error) {
	h := &Hub{}
	address := o.URL
	if address == "" {
		var err error
		if address, err = clientURL(o.Listen); err != nil {
			return nil, err
		}
		switch h.server, err = Serve(ServerOptions{Dir: o.Dir, Listen: o.Listen, Log: o.Log}); {
		case errors.Is(err, ErrTaken):
		case err != nil:
			return nil, err
		default:
			address = h.server.URL()
		}
	}
	var err error
	h.Coordinator, err = Connect(ctx, CoordinatorOptions{
		Dir: o.Dir, URL: address, Credentials: o.Credentials, External: o.URL != "", Owner: o.Owner, Transient: o.Transient, Log: o.Log,
	})
	if err != nil && h.server != nil {
		err = errors.Join(err, h.server.Close())
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Address is where the embedded broker listens, "" where another process runs it.
func (h *Hub) Address() string {
	if h.server == nil {
		return ""
	}
	return h.server.URL()
}

// Close ends the coordinator, and the broker after it.
func (h *Hub) Close() error {
	h.Coordinator.Close()
	if h.server != nil {
		return h.server.Close()
	}
	return nil
}

// Invitation is what an agent needs to enrol.
type Invitation struct {
	Place  string
	Server string // URL
	Pin    string // of the server's key, "" on loopback
	Token  string
	Pins   []vantage.Pin
}

// Invite makes a token for a place, and says how its agent reaches the embedded broker. advertised is the
// broker's host and port as agents see it, "" for that of listen.
func Invite(dir, listen, advertised, place string, pins []vantage.Pin) (Invitation, error) {
	i := Invitation{Place: place, Pins: pins}
	loopback, err := clientURL(listen)
	if err != nil {
		return i, err
	}
	i.Server = loopback
	if strings.HasPrefix(loopback, "tls:") {
		if i.Pin, err = serverPin(dirOf(dir)); err != nil {
			return i, err
		}
		if i.Server, err = reachable(listen, advertised); err != nil {
			return i, err
		}
	}
	i.Token, err = newRegistry(dir).invite(place, pins)
	return i, err
}

// dirOf makes a folder where it is missing.
func dirOf(dir string) string {
	_ = os.MkdirAll(dir, 0o700) // what is written there next says why not
	return dir
}

// reachable is the URL under which other machines reach an address to listen on.
func reachable(listen, advertised string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	if advertised != "" {
		if h, p, err := net.SplitHostPort(advertised); err == nil {
			return "tls://" + net.JoinHostPort(h, p), nil
		}
		return "tls://" + net.JoinHostPort(advertised, port), nil
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			return "", fmt.Errorf("the name of this machine: %w (hint: set vantages.address)", err)
		}
	}
	return "tls://" + net.JoinHostPort(host, port), nil
}

// Places lists the places that are enrolled or invited.
func Places(dir string) ([]Place, error) { return newRegistry(dir).places() }

// Remove forgets a place: its agent is cut off within a few seconds.
func Remove(dir, place string) error { return newRegistry(dir).remove(place) }
