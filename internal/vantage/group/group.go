// Package group has several daemons on one NATS cluster share the work for one site: one of them leads, and each gets
// the records of all. Correctness does not depend on the lease: records can be applied twice, and two daemons that lead
// at the same time do the same work twice.
package group

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The names on the broker.
const (
	leaseStream    = "mirror-leases"
	leaseSubject   = "mirror.lease."
	recordStream   = "mirror-records"
	recordSubject  = "mirror.record."
	durableRecords = "daemon-"
)

// The bounds of what the broker holds.
const (
	maxRecordSize = 1 << 20 // bytes
	keepRecords   = 7 * 24 * time.Hour
	maxRecords    = 100_000 // of a group
	maxStored     = 4 << 30 // bytes
	setUpWithin   = 20 * time.Second
	ackWait       = 30 * time.Second
	retry         = 2 * time.Second
)

// Options say which group a daemon is in.
type Options struct {
	JetStream jetstream.JetStream
	Replicas  func(set func(replicas int) error) error // calls set with how many nodes keep a stream
	Name      string                                   // of the group; a token of a subject
	Owner     string                                   // tells this daemon from others; a token of a subject
	Host      string                                   // for people
	Log       *slog.Logger
}

// Member is a daemon in a group. Close it after use. It is safe for concurrent use.
type Member struct {
	*lease
	options  Options
	consumer jetstream.Consumer
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// Join makes what the group needs on the broker, and begins to take and renew the lease.
func Join(ctx context.Context, o Options) (*Member, error) {
	m := &Member{options: o}
	setting, done := context.WithTimeout(ctx, setUpWithin)
	defer done()
	if err := o.Replicas(func(n int) error { return m.setUp(setting, n) }); err != nil {
		return nil, fmt.Errorf("group %s: %w", o.Name, err)
	}
	stream, err := o.JetStream.Stream(setting, leaseStream)
	if err != nil {
		return nil, fmt.Errorf("group %s: %w", o.Name, err)
	}
	at := stored{js: o.JetStream, stream: stream, subject: leaseSubject + o.Name}
	m.lease = newLease(at, holder{Owner: o.Owner, Host: o.Host, Start: rand.Text()}, o.Log)
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	m.running.Go(func() { m.lease.run(run) })
	return m, nil
}

// setUp makes the streams, and the consumer of this daemon.
func (m *Member) setUp(ctx context.Context, replicas int) (err error) {
	js := m.options.JetStream
	if _, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: leaseStream, Subjects: []string{leaseSubject + "*"}, Storage: jetstream.FileStorage, MaxMsgsPerSubject: 1, MaxMsgSize: 4 << 10, Replicas: replicas,
	}); err != nil {
		return err
	}
	if _, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: recordStream, Subjects: []string{recordSubject + "*"}, Storage: jetstream.FileStorage, MaxMsgsPerSubject: maxRecords, MaxMsgSize: maxRecordSize,
		MaxAge: keepRecords, MaxBytes: maxStored, Replicas: replicas,
	}); err != nil {
		return err
	}
	// One record at a time: the order is that in which they were sent, also after an error.
	m.consumer, err = js.CreateOrUpdateConsumer(ctx, recordStream, jetstream.ConsumerConfig{
		Durable: durableRecords + m.options.Owner, FilterSubject: recordSubject + m.options.Name, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxAckPending: 1, InactiveThreshold: keepRecords,
	})
	return err
}

// Send sends a record to all daemons of the group, this one among them. It is repeated after an error.
func (m *Member) Send(ctx context.Context, record []byte) error {
	_, err := m.options.JetStream.Publish(ctx, recordSubject+m.options.Name, record)
	return err
}

// Receive calls take for each record, in their order, until ctx ends. A record for which take returns an error comes
// again, before any later one.
func (m *Member) Receive(ctx context.Context, take func(ctx context.Context, record []byte) error) {
	for ctx.Err() == nil {
		err := m.receive(ctx, take)
		if ctx.Err() != nil {
			return
		}
		m.options.Log.Debug("records of the group cannot be read", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
	}
}

func (m *Member) receive(ctx context.Context, take func(ctx context.Context, record []byte) error) error {
	messages, err := m.consumer.Messages(jetstream.PullMaxMessages(1))
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	defer messages.Stop()
	for {
		msg, err := messages.Next()
		switch {
		case errors.Is(err, jetstream.ErrMsgIteratorClosed), errors.Is(err, jetstream.ErrConsumerDeleted):
			return err
		case err != nil: // the connection is being made again
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(retry):
			}
			continue
		}
		if err := take(ctx, msg.Data()); err != nil {
			m.options.Log.Error("a record of the group could not be kept", "err", err)
			_ = msg.NakWithDelay(retry) // else it comes again after ackWait
			continue
		}
		_ = msg.Ack() // if it is lost the record comes again, and is known
	}
}

// Close gives the lease back.
func (m *Member) Close() {
	m.stop()
	m.running.Wait()
}

// stored is a lease on the broker: the last message of a subject.
type stored struct {
	js      jetstream.JetStream
	stream  jetstream.Stream
	subject string
}

func (s stored) read(ctx context.Context) ([]byte, uint64, error) {
	last, err := s.stream.GetLastMsgForSubject(ctx, s.subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return last.Data, last.Sequence, nil
}

func (s stored) write(ctx context.Context, value []byte, revision uint64) (uint64, error) {
	ack, err := s.js.Publish(ctx, s.subject, value, jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithRetryAttempts(0))
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok && // of one node, and of several
		(refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return 0, errConflict
	}
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}
