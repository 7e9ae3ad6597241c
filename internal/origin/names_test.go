package origin_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"mirror/internal/origin"
)

// hungName is a host of which the name servers of these tests say nothing.
const hungName = "hung.example."

// resolver asks name servers that know no host at all.
func resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			for in := bufio.NewReader(server); answerQuery(in, server) == nil; {
				continue
			}
		}()
		return client, nil
	}}
}

// answerQuery reads a query and answers it as over TCP (RFC 1035, section 4.2.2).
func answerQuery(in io.Reader, out io.Writer) error {
	var size uint16
	if err := binary.Read(in, binary.BigEndian, &size); err != nil {
		return err
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(in, text); err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(text); err != nil {
		return err
	}
	if m.Questions[0].Name.String() == hungName {
		return nil
	}
	m.Response, m.RCode, m.Additionals = true, dnsmessage.RCodeNameError, nil
	packed, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = out.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
	return err
}

// TestNames has the name servers know no host, and say nothing.
func TestNames(t *testing.T) {
	t.Parallel()
	if o := survives(t, "http://no-such-host.example", ask, generous); !errors.Is(o.Err, origin.NoName) || o.Err.Error() != "DNS: no such host" {
		t.Errorf("got %v", o.Err)
	}
	hung := "http://" + strings.TrimSuffix(hungName, ".")
	if o := survives(t, hung, ask, patience); !errors.Is(o.Err, origin.TimedOut) && !errors.Is(o.Err, origin.NoName) {
		t.Errorf("got %v", o.Err)
	}
	endsInTime(t, hung)
}
