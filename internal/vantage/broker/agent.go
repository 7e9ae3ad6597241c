package broker

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/internal/vantage"
	"mirror/internal/vantage/hostclock"
	"mirror/internal/vantage/windows"
)

// Joined is what an agent remembers of its enrolment.
type Joined struct {
	Place       string
	Server      string        // URL
	Pin         string        `json:",omitempty"` // of the server's key, "" on loopback and for an external broker
	Credentials string        `json:",omitempty"` // file, for an external broker
	Pins        []vantage.Pin // the origins that it may look at, and no others
}

// maxJoined bounds the file of the enrolment, in bytes.
const maxJoined = 1 << 20

// AgentOptions say how an agent runs.
type AgentOptions struct {
	Dir       string // of its key and its enrolment
	Join      Joined // of a new enrolment; the zero value is of one that was made before
	Token     string // of a new enrolment
	Addresses map[string]string
	Version   string        // of the program
	Clock     windows.Clock // nil for those of this machine
	Log       *slog.Logger
	Connected func() // called when it has connected for the first time; may be nil
}

// ErrNotEnrolled means that an agent has no enrolment.
var ErrNotEnrolled = errors.New("this agent is not enrolled (hint: on the machine of the daemon, mirror agent enroll --place NAME prints the line for this one)")

// Run runs an agent until ctx ends. Its enrolment is remembered in its folder.
func Run(ctx context.Context, o AgentOptions) error {
	a := &runner{options: o, joined: o.Join, again: make(chan struct{}, 1)}
	file := filepath.Join(o.Dir, "agent.json")
	if a.joined.Server == "" {
		text, err := regular.ReadFile(file, maxJoined)
		if errors.Is(err, os.ErrNotExist) {
			return ErrNotEnrolled
		}
		if err == nil {
			err = json.Unmarshal(text, &a.joined)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if err := vantage.ValidPlace(a.joined.Place); err != nil {
		return err
	}
	key, err := keyIn(filepath.Join(o.Dir, "agent.nk"))
	if err != nil {
		return err
	}
	ctx, a.fail = context.WithCancelCause(ctx)
	defer a.fail(nil)
	a.key, a.looker = key, &vantage.Looker{Pins: a.joined.Pins, Addresses: o.Addresses}
	if err := a.connect(ctx); err != nil {
		return fmt.Errorf("the daemon at %s: %w%s", a.joined.Server, err, a.hint(err))
	}
	defer a.conn.Close()
	text, err := json.MarshalIndent(a.joined, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return err
	}
	if o.Connected != nil {
		o.Connected()
	}
	if err := a.work(ctx); err != nil {
		return err
	}
	if cause := context.Cause(ctx); errors.Is(cause, errRights) {
		return fmt.Errorf("the daemon at %s: %w", a.joined.Server, cause)
	}
	return nil
}

// errRights says that the agent cannot work: all that it asks for is in the rights of its place.
var errRights = errors.New("the broker refuses this agent what the agent of its place may do (hint: --place must be that of the token or the credentials: " +
	"mirror agent enroll prints a new line, and docs/vantages.md has the permissions for a NATS server of your own)")

// runner is an agent that runs.
type runner struct {
	options AgentOptions
	joined  Joined
	key     nkeys.KeyPair
	looker  *vantage.Looker
	conn    *nats.Conn
	fail    context.CancelCauseFunc
	again   chan struct{} // has one element when the connection was made again: the broker has forgotten what was asked before
}

func (a *runner) connect(ctx context.Context) error {
	o := []nats.Option{
		nats.Name("mirror agent " + a.joined.Place), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second), nats.ReconnectJitter(time.Second, time.Second), nats.Timeout(requestTimeout),
		nats.CustomInboxPrefix(strings.TrimSuffix(inboxPrefix+a.joined.Place, ".")), nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.IgnoreAuthErrorAbort(), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			a.options.Log.Warn("the connection", "err", err)
			if errors.Is(err, nats.ErrPermissionViolation) {
				a.fail(fmt.Errorf("place %s: %w", a.joined.Place, errRights))
			}
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // else the agent ends
				a.options.Log.Warn("the daemon is not connected", "err", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			a.options.Log.Info("the daemon is connected again")
			select {
			case a.again <- struct{}{}:
			default:
			}
		}),
	}
	if a.joined.Credentials != "" {
		o = append(o, nats.UserCredentials(a.joined.Credentials))
	} else {
		sign, err := signing(a.key)
		if err != nil {
			return err
		}
		o = append(o, sign)
		if a.options.Token != "" {
			o = append(o, nats.Token(a.options.Token))
		}
		if a.joined.Pin != "" {
			o = append(o, nats.Secure(pinnedTLS(a.joined.Pin)))
		}
	}
	for pause := time.Second; ; pause = min(2*pause, maxPause) {
		conn, err := nats.Connect(a.joined.Server, o...)
		if err == nil {
			a.conn = conn
			return nil
		}
		if refused(err) || a.options.Token != "" {
			return err
		}
		a.options.Log.Warn("the daemon does not answer; this is tried again", "at", a.joined.Server, "err", fmt.Sprint(err, a.hint(err)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// hint says what to do after an attempt to connect that is the last.
func (a *runner) hint(err error) string {
	switch {
	case errors.Is(err, nats.ErrAuthorization) && a.options.Token != "":
		return " (hint: the token was used, has expired or is of another daemon: mirror agent enroll, on the machine of the daemon, prints a new line)"
	case errors.Is(err, nats.ErrAuthorization):
		return " (hint: the place was removed or given to another agent: mirror agent list shows it, mirror agent enroll prints a new line)"
	case errors.Is(err, nats.ErrSecureConnWanted) || errors.Is(err, nats.ErrSecureConnRequired):
		return " (hint: copy the whole line of mirror agent enroll: --server begins with nats:// or tls://)"
	case errors.Is(err, nats.ErrNoInfoReceived) || reading(err):
		return " (hint: what answers there is no NATS server: --server has the port of vantages.listen, and not that of the dashboard or of a web server)"
	case errors.As(err, new(*net.DNSError)):
		return " (hint: --server has the name under which this machine reaches the daemon: vantages.address)"
	case errors.Is(err, nats.ErrNoServers) || errors.As(err, new(*net.OpError)):
		return " (hint: start mirror daemon there, let its port through, and run this line again)"
	}
	return ""
}

// reading reports whether a connection was made on which nothing came that could be read.
func reading(err error) bool {
	broken, ok := errors.AsType[*net.OpError](err)
	return ok && broken.Op == "read"
}

// maxPause is the longest time between two attempts to connect.
const maxPause = 15 * time.Second

// refused reports whether connecting again would not help.
func refused(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, errPin)
}

// work says hello and carries out items until ctx ends.
func (a *runner) work(ctx context.Context) error {
	js, err := jetstream.New(a.conn)
	if err != nil {
		return err
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	clock := a.options.Clock
	if clock == nil {
		clock = hostclock.New()
	}
	watching, err := watchFor(ctx, a.conn, a.joined.Place, a.key, a.looker, clock, a.options.Log)
	if err != nil {
		return err
	}
	defer watching.Close()
	beside.Go(func() { a.greet(ctx) })
	a.options.Log.Info("the agent is ready", "place", a.joined.Place, "daemon", a.joined.Server, "origins", len(a.joined.Pins))
	for ctx.Err() == nil {
		m, err := a.next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				a.options.Log.Debug("no item", "err", err)
				pause(ctx, time.Second)
			}
			continue
		}
		if m != nil {
			a.carryOut(ctx, js, m)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// greet says that the agent is there.
func (a *runner) greet(ctx context.Context) {
	hello, err := json.Marshal(vantage.Hello{Oldest: vantage.OldestProtocol, Newest: vantage.Protocol, Version: a.options.Version, Boot: rand.Text()})
	if err != nil {
		return
	}
	every := time.NewTicker(vantage.HelloEvery)
	defer every.Stop()
	for {
		if a.conn.IsConnected() {
			_ = a.conn.Publish(helloSubject+a.joined.Place, hello) // the next one comes soon
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// fetchFor is how long one request for an item waits at the broker.
const fetchFor = 20 * time.Second

// next fetches an item, nil where none came. It asks for the message by itself: what the client library
// would ask about the consumer first is more than an agent may.
func (a *runner) next(ctx context.Context) (*nats.Msg, error) {
	inbox := a.conn.NewInbox()
	sub, err := a.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection may be gone
	request, err := json.Marshal(map[string]any{"batch": 1, "expires": fetchFor})
	if err != nil {
		return nil, err
	}
	if err := a.conn.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+workStream+"."+a.joined.Place, inbox, request); err != nil {
		return nil, err
	}
	within, done := context.WithTimeout(ctx, fetchFor+requestTimeout)
	defer done()
	go func() {
		select {
		case <-a.again:
			done()
		case <-within.Done():
		}
	}()
	m, err := sub.NextMsgWithContext(within)
	switch {
	case err != nil && ctx.Err() == nil && within.Err() != nil:
		return nil, nil
	case err != nil:
		return nil, err
	case strings.HasPrefix(m.Reply, "$JS.ACK."):
		return m, nil
	case m.Header.Get("Status") == "503":
		return nil, nats.ErrNoResponders
	}
	return nil, nil // no item within the time
}

// carryOut does what an item asks and sends the result. An item counts as done when the broker has the
// result.
func (a *runner) carryOut(ctx context.Context, js jetstream.JetStream, m *nats.Msg) {
	var item vantage.Item
	if err := vantage.Decode(m.Data, &item); err != nil || item.Kind != vantage.KindItem || item.Place != a.joined.Place {
		a.options.Log.Warn("an item was dropped that is not for this place", "err", err)
		_ = m.Term() // it would be the same the next time
		return
	}
	working, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	beside.Go(func() {
		for beat := time.NewTicker(ackWait / 3); ; {
			select {
			case <-working.Done():
				beat.Stop()
				return
			case <-beat.C:
				_ = m.InProgress() // else the item comes again, and is done again
			}
		}
	})
	began := time.Now()
	result := a.looker.Look(ctx, item)
	if ctx.Err() != nil {
		return // another agent gets it, or this one later
	}
	if result.Refused != "" {
		a.options.Log.Warn("an item was refused", "check", item.Check, "part", item.Part, "why", result.Refused)
	}
	if err := a.send(ctx, js, result); err != nil {
		a.options.Log.Warn("a result could not be sent", "check", item.Check, "part", item.Part, "err", err)
		return
	}
	_ = m.Ack() // else it comes again, and its result is dropped as known
	a.options.Log.Debug("looked", "check", item.Check, "part", item.Part, "pages", len(item.Files), "took", time.Since(began).Round(time.Millisecond))
}

// send signs a result and publishes it until the broker has it.
func (a *runner) send(ctx context.Context, js jetstream.JetStream, result vantage.Result) error {
	data, err := vantage.EncodeResult(result, maxResultSize)
	if err != nil {
		return err
	}
	signature, err := a.key.Sign(data)
	if err != nil {
		return err
	}
	m := &nats.Msg{Subject: resultSubject + a.joined.Place, Data: data, Header: nats.Header{sigHeader: {base64.RawURLEncoding.EncodeToString(signature)}}}
	for attempt := 1; ; attempt++ {
		within, done := context.WithTimeout(ctx, requestTimeout)
		_, err = js.PublishMsg(within, m)
		done()
		if err == nil || attempt == maxSends || ctx.Err() != nil {
			return err
		}
		pause(ctx, time.Second)
	}
}

// maxSends is how often a result is sent that the broker does not acknowledge: it comes again with its item
// after that.
const maxSends = 30
