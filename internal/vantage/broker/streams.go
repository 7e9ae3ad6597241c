// Package broker carries the work of package vantage over NATS JetStream: the embedded server, the
// connections of the coordinator and of the agents, enrolment, and what each of them may do. No other
// package knows of NATS, and nothing of it runs before it is asked for.
package broker

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"mirror/internal/vantage"
)

// The names on the broker. %s is a place.
const (
	workStream    = "mirror-work"
	workSubjects  = "mirror.work.>"
	resultStream  = "mirror-results"
	resultSubject = "mirror.result."
	helloSubject  = "mirror.hello."
	inboxPrefix   = "mirror.inbox."
	windowSubject = "mirror.window."
)

// workSubject is where the items of one check wait for a place.
func workSubject(place, owner, check string) string {
	return "mirror.work." + place + "." + owner + "." + check
}

// The bounds of what the broker holds. An agent can fill what belongs to its own place and no more.
const (
	maxItems       = 64        // that wait for a place: older ones are dropped
	maxResults     = 512       // of a place that are kept for a coordinator that is away
	maxResultSize  = 512 << 10 // bytes
	maxItemSize    = 1 << 20   // bytes
	keepResults    = 24 * time.Hour
	keepItems      = time.Hour
	maxStore       = 16 << 30 // bytes on disk
	ackWait        = 10 * time.Second
	maxDeliver     = 8 // of an item, so that one that kills an agent does not kill it for ever
	setUpWithin    = 20 * time.Second
	requestTimeout = 10 * time.Second
	sendTimeout    = 3 * time.Second
)

// clusterReplicas is on how many nodes of a cluster a stream is, so that one may fail.
const clusterReplicas = 3

// setUpExternal is setUp on a server or a cluster that is not ours: each stream is on three nodes where there are as many.
func setUpExternal(ctx context.Context, js jetstream.JetStream) error {
	return Replicated(func(replicas int) error { return setUp(ctx, js, replicas) })
}

// Replicated calls set with how many nodes keep a stream: three where there are as many, else one.
func Replicated(set func(replicas int) error) error {
	err := set(clusterReplicas)
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok && (refused.ErrorCode == replicasNotSupported || refused.ErrorCode == noSuitablePeers) {
		return set(1)
	}
	return err
}

// The error codes of a server that is no cluster, and of a cluster with too few nodes.
const (
	replicasNotSupported jetstream.ErrorCode = 10074
	noSuitablePeers      jetstream.ErrorCode = 10005
)

// setUp makes the streams.
func setUp(ctx context.Context, js jetstream.JetStream, replicas int) error {
	ctx, done := context.WithTimeout(ctx, setUpWithin)
	defer done()
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: workStream, Subjects: []string{workSubjects}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage,
		MaxMsgsPerSubject: maxItems, MaxMsgSize: maxItemSize, MaxAge: keepItems, AllowMsgTTL: true, Duplicates: time.Second, Replicas: replicas,
	}); err != nil {
		return err
	}
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: resultStream, Subjects: []string{resultSubject + "*"}, Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage,
		MaxMsgsPerSubject: maxResults, MaxMsgSize: maxResultSize, MaxAge: keepResults, Duplicates: time.Second, Replicas: replicas,
	}); err != nil {
		return err
	}
	return nil
}

// forgetPlaces is after how long without its agent an external broker forgets a place.
const forgetPlaces = 24 * time.Hour

// addPlace makes the consumer of a place: the coordinator does, an agent may not. An external broker forgets it.
func addPlace(ctx context.Context, js jetstream.JetStream, place string, external bool) error {
	var inactive time.Duration // for ever
	if external {
		inactive = forgetPlaces
	}
	_, err := js.CreateOrUpdateConsumer(ctx, workStream, jetstream.ConsumerConfig{
		Durable: place, FilterSubject: "mirror.work." + place + ".>", AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
		MaxDeliver: maxDeliver, MaxAckPending: 2 * maxItems, InactiveThreshold: inactive,
	})
	return err
}

// knownPlaces lists the places that have a consumer.
func knownPlaces(ctx context.Context, js jetstream.JetStream) (places []string, err error) {
	ctx, done := context.WithTimeout(ctx, requestTimeout)
	defer done()
	stream, err := js.Stream(ctx, workStream)
	if err != nil {
		return nil, err
	}
	names := stream.ConsumerNames(ctx)
	for name := range names.Name() {
		if vantage.ValidPlace(name) == nil && len(places) < maxPlaces {
			places = append(places, name)
		}
	}
	return places, names.Err()
}

// mayPublish and maySubscribe list what the agent of a place may do: fetch and acknowledge its own items,
// send results and say hello in its own name, and read its own inbox.
func mayPublish(place string) []string {
	return []string{
		helloSubject + place, resultSubject + place, windowSubject + place,
		"$JS.API.CONSUMER.MSG.NEXT." + workStream + "." + place, "$JS.ACK." + workStream + "." + place + ".>",
	}
}

func maySubscribe(place string) []string { return []string{inboxPrefix + place + ".>"} }

// sigHeader has the agent's signature of a message: the subject alone could be that of a reply.
const sigHeader = "Mirror-Signature"
