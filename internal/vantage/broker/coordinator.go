package broker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"mirror/internal/vantage"
	"mirror/internal/vantage/windows"
)

// Keep keeps a result before it counts. It may be called again with the same one.
type Keep func(ctx context.Context, place string, r vantage.Result, at time.Time) error

// CoordinatorOptions say how a coordinator connects.
type CoordinatorOptions struct {
	Dir         string // of the places, and of the embedded server
	URL         string // of the broker
	Credentials string // file, for an external broker that asks for one
	External    bool   // the broker is not the embedded one, which knows the key in Dir
	Transient   bool   // results that come after Close are not waited for
	Owner       string // tells this coordinator from others on the same broker; a token of a subject
	Keep        Keep   // called for each result that is accepted, before it counts; nil for nothing
	Log         *slog.Logger
}

// Coordinator is the bus of a coordinator. It is safe for concurrent use.
type Coordinator struct {
	options  CoordinatorOptions
	registry *registry
	conn     *nats.Conn
	js       jetstream.JetStream
	ctx      context.Context
	stop     context.CancelFunc
	running  sync.WaitGroup
	windows  windowBus

	mu     sync.Mutex // guards what follows
	heard  map[string]vantage.Agent
	checks map[string]*subscription
	places []string // that have a consumer
}

var (
	_ vantage.Bus = (*Coordinator)(nil)
	_ windows.Bus = (*Coordinator)(nil)
)

// subscription is one that waits for the results of a check.
type subscription struct {
	to   chan vantage.Returned
	done <-chan struct{}
}

// Connect connects a coordinator to the broker and makes what it needs there.
func Connect(ctx context.Context, o CoordinatorOptions) (*Coordinator, error) {
	c := &Coordinator{options: o, registry: newRegistry(o.Dir), heard: map[string]vantage.Agent{}, checks: map[string]*subscription{}}
	c.ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := c.connect(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("the broker at %s: %w", o.URL, err)
	}
	return c, nil
}

func (c *Coordinator) connect(ctx context.Context) (err error) {
	options := []nats.Option{nats.Name("mirror coordinator"), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second), nats.Timeout(requestTimeout), nats.CustomInboxPrefix(inboxPrefix + "-" + c.options.Owner)}
	switch {
	case c.options.Credentials != "":
		options = append(options, nats.UserCredentials(c.options.Credentials))
	case !c.options.External:
		key, err := coordinatorKey(c.options.Dir)
		if err != nil {
			return err
		}
		option, err := signing(key)
		if err != nil {
			return err
		}
		options = append(options, option)
		if strings.HasPrefix(c.options.URL, "tls:") {
			pin, err := serverPin(c.options.Dir)
			if err != nil {
				return err
			}
			options = append(options, nats.Secure(pinnedTLS(pin)))
		}
	}
	if c.conn, err = nats.Connect(c.options.URL, options...); err != nil {
		return err
	}
	if c.js, err = jetstream.New(c.conn); err != nil {
		return err
	}
	if err := c.makeStreams(ctx); err != nil {
		return err
	}
	if err := c.recallPlaces(ctx); err != nil {
		return err
	}
	if err := c.Withdraw(ctx, "*"); err != nil { // of a coordinator that was killed
		return err
	}
	if _, err := c.conn.Subscribe(helloSubject+"*", c.hear); err != nil {
		return err
	}
	if _, err := c.conn.Subscribe(windowSubject+"*", func(m *nats.Msg) { c.windows.hear(m, c.verify) }); err != nil {
		return err
	}
	if err := c.collect(ctx); err != nil {
		return err
	}
	if c.options.External && c.options.Transient {
		pause(ctx, vantage.HelloEvery+time.Second) // agents are known by their hellos alone
	}
	return nil
}

func (c *Coordinator) makeStreams(ctx context.Context) error {
	if c.options.External {
		return setUpExternal(ctx, c.js)
	}
	return setUp(ctx, c.js, 1)
}

// recallPlaces learns from an external broker which places there are: one whose agent is away is named as missing.
func (c *Coordinator) recallPlaces(ctx context.Context) error {
	if !c.options.External {
		return nil
	}
	known, err := knownPlaces(ctx, c.js)
	for _, place := range known {
		c.heard[place] = vantage.Agent{Place: place}
	}
	return err
}

// JetStream is the connection, for what other packages keep on the broker.
func (c *Coordinator) JetStream() jetstream.JetStream { return c.js }

// signing connects with a key.
func signing(key nkeys.KeyPair) (nats.Option, error) {
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	return nats.Nkey(public, key.Sign), nil
}

// hear notes that an agent is there.
func (c *Coordinator) hear(m *nats.Msg) {
	place := strings.TrimPrefix(m.Subject, helloSubject)
	var hello vantage.Hello
	if len(m.Data) > maxHello || json.Unmarshal(m.Data, &hello) != nil || vantage.ValidPlace(place) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before, known := c.heard[place]
	if time.Since(before.Heard) > forgetPlaces/2 { // its consumer may be gone
		c.places = slices.DeleteFunc(c.places, func(name string) bool { return name == place })
	}
	if known || len(c.heard) < maxPlaces {
		c.heard[place] = vantage.Agent{Place: place, Hello: hello, Heard: time.Now()}
	}
}

// maxHello bounds the message by which an agent says that it is there, in bytes.
const maxHello = 1 << 10

// Agents lists the agents that are enrolled; of a broker that is not embedded, those that were heard of.
func (c *Coordinator) Agents(ctx context.Context) ([]vantage.Agent, error) {
	known, err := c.registry.places()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	var all []vantage.Agent
	for _, p := range known {
		if p.Key != "" {
			a := c.heard[p.Name]
			a.Place = p.Name
			all = append(all, a)
		}
	}
	if c.options.External {
		all = nil
		for _, a := range c.heard {
			all = append(all, a)
		}
	}
	var fresh []string
	for _, a := range all {
		if !slices.Contains(c.places, a.Place) {
			fresh = append(fresh, a.Place)
		}
	}
	c.mu.Unlock()
	slices.SortFunc(all, func(a, b vantage.Agent) int { return strings.Compare(a.Place, b.Place) })
	return all, c.prepare(ctx, fresh)
}

// prepare makes the consumers of places.
func (c *Coordinator) prepare(ctx context.Context, places []string) error {
	ctx, done := context.WithTimeout(ctx, requestTimeout)
	defer done()
	for _, place := range places {
		if err := addPlace(ctx, c.js, place, c.options.External); err != nil {
			return err
		}
		c.mu.Lock()
		c.places = append(c.places, place)
		c.mu.Unlock()
	}
	return nil
}

// Send queues an item for a place, which drops it after its limit.
func (c *Coordinator) Send(ctx context.Context, item vantage.Item) error {
	data, err := vantage.Encode(item)
	if err != nil {
		return err
	}
	ctx, done := context.WithTimeout(ctx, sendTimeout)
	defer done()
	_, err = c.js.Publish(ctx, workSubject(item.Place, c.options.Owner, item.Check), data, jetstream.WithMsgTTL(max(item.Limit.Truncate(time.Second), time.Second)))
	return err
}

// Withdraw drops what is queued of a check, "*" of all of this coordinator.
func (c *Coordinator) Withdraw(ctx context.Context, check string) error {
	ctx, done := context.WithTimeout(ctx, requestTimeout)
	defer done()
	stream, err := c.js.Stream(ctx, workStream)
	if err != nil {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject(workSubject("*", c.options.Owner, check)))
}

// Results returns what comes back for a check until ctx ends.
func (c *Coordinator) Results(ctx context.Context, check string) (<-chan vantage.Returned, error) {
	to := make(chan vantage.Returned, maxItems)
	c.mu.Lock()
	defer c.mu.Unlock()
	own := &subscription{to, ctx.Done()}
	c.checks[check] = own
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.checks[check] == own {
			delete(c.checks, check)
		}
	})
	return to, nil
}

// collect has each result kept, told to the check that waits for it, and acknowledged.
func (c *Coordinator) collect(ctx context.Context) error {
	ctx, done := context.WithTimeout(ctx, setUpWithin)
	defer done()
	config := jetstream.ConsumerConfig{Durable: "coordinator-" + c.options.Owner, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, InactiveThreshold: 2 * keepResults}
	if c.options.Transient {
		config.Durable, config.DeliverPolicy, config.InactiveThreshold = "", jetstream.DeliverNewPolicy, 30*ackWait
	}
	consumer, err := c.js.CreateOrUpdateConsumer(ctx, resultStream, config)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(maxItems, 16*maxResultSize))
	if err != nil {
		return err
	}
	context.AfterFunc(c.ctx, messages.Stop)
	c.running.Go(func() {
		for {
			m, err := messages.Next()
			switch {
			case errors.Is(err, jetstream.ErrMsgIteratorClosed), c.ctx.Err() != nil:
				return
			case err != nil: // the connection is being made again
				select {
				case <-time.After(time.Second):
				case <-c.ctx.Done():
				}
				continue
			}
			c.take(m)
		}
	})
	return nil
}

// take keeps a result, then tells the check that waits for it.
func (c *Coordinator) take(m jetstream.Msg) {
	place := strings.TrimPrefix(m.Subject(), resultSubject)
	result, err := c.read(place, m)
	if err != nil {
		c.options.Log.Warn("a result was dropped", "place", place, "err", err)
		_ = m.Term() // it would be the same the next time
		return
	}
	at := time.Now()
	if c.options.Keep != nil {
		if err := c.options.Keep(c.ctx, place, result, at); err != nil {
			c.options.Log.Error("a result could not be kept", "place", place, "err", err)
			_ = m.NakWithDelay(time.Second) // it comes again
			return
		}
	}
	c.mu.Lock()
	waits := c.checks[result.Check]
	c.mu.Unlock()
	if waits != nil {
		select {
		case waits.to <- vantage.Returned{Place: place, Result: result, At: at}:
		case <-waits.done:
		case <-c.ctx.Done():
		}
	}
	_ = m.Ack() // if it is lost the result comes again, and is kept already
}

var errForged = errors.New("it is not signed by the agent of the place")

// read checks that a result is of the place whose subject it has.
func (c *Coordinator) read(place string, m jetstream.Msg) (r vantage.Result, err error) {
	if err := c.verify(place, m.Data(), m.Headers().Get(sigHeader)); err != nil {
		return r, err
	}
	if err := vantage.Decode(m.Data(), &r); err != nil {
		return r, err
	}
	if r.Kind != vantage.KindResult || r.Place != place {
		return r, errForged
	}
	return r, nil
}

// verify checks that a message is signed by the agent of a place. Of an external broker the keys are not known.
func (c *Coordinator) verify(place string, data []byte, signature string) error {
	known, err := c.registry.places()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(known, func(p Place) bool { return p.Name == place && p.Key != "" })
	if i < 0 {
		if c.options.External {
			return nil
		}
		return errForged
	}
	key, err := nkeys.FromPublicKey(known[i].Key)
	if err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || key.Verify(data, raw) != nil {
		return errForged
	}
	return nil
}

// Ask asks an agent about a watch, without waiting.
func (c *Coordinator) Ask(ask windows.Ask) error {
	data, err := windows.Encode(ask)
	if err != nil {
		return err
	}
	return c.conn.Publish(askSubject(ask.Place), data)
}

// Reports returns what agents report of a watch, until ctx ends.
func (c *Coordinator) Reports(ctx context.Context, watch string) (<-chan windows.Heard, error) {
	return c.windows.reports(ctx, watch), nil
}

// Close ends the connection and waits for what is under way.
func (c *Coordinator) Close() {
	c.stop()
	c.running.Wait()
	if c.conn != nil {
		c.conn.Close()
	}
}
