package realserver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// The ports of servers lie below those that systems hand out by themselves, to listeners on
// port 0 and to connections: from 32768 on Linux, from 49152 elsewhere. None of those can be
// given a server's port between the test's choice and the server's start.
const (
	lowestPort  = 10_000
	highestPort = 32_000
)

// FreePort returns a TCP port on 127.0.0.1 on which nothing listens and which no other test
// gets, of this process or of another, until this one ends.
func FreePort(t testing.TB) int {
	t.Helper()
	port, release, err := ClaimPort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}

// ClaimPort is FreePort until release is called. The claim on an even port is a listener on
// the odd one after it: it excludes other processes, and ends with this one.
func ClaimPort() (port int, release func(), err error) {
	const pairs = (highestPort - lowestPort) / 2
	first := rand.IntN(pairs)
	for i := range pairs {
		port := lowestPort + 2*((first+i)%pairs)
		claim, err := net.Listen("tcp", Loopback(port+1))
		if err != nil {
			continue // another test's
		}
		probe, err := net.Listen("tcp", Loopback(port))
		if err != nil { // a server that is not of the tests
			_ = claim.Close() // nothing was accepted
			continue
		}
		if err := probe.Close(); err != nil {
			return 0, nil, errors.Join(err, claim.Close())
		}
		return port, func() { _ = claim.Close() }, nil // nothing was accepted
	}
	return 0, nil, fmt.Errorf("no port from %d to %d is free", lowestPort, highestPort)
}

// Loopback returns 127.0.0.1 with the port.
func Loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
