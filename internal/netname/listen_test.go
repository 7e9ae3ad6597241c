package netname

import (
	"errors"
	"net"
	"strings"
	"testing"
)

func TestAddressesThatCannotBeListenedOn(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		taken.Addr().String(): "another program listens there",
		"192.0.2.1:0":         "this machine has no such address",
		"8080":                `"8080" is no address to listen on`,
		"127.0.0.1:99999":     "is no address to listen on",
		"::1:8080":            "is no address",
		"127.0.0.1:80x":       "is no address",
		"127.0.0.1:port-none": "is no address",
	} {
		l, err := net.Listen("tcp", address)
		if err == nil {
			l.Close()
		}
		got := ListenError(address, err)
		if got == nil || !strings.Contains(got.Error(), want) || errors.Is(got, ErrAddress) != strings.Contains(want, "is no address") {
			t.Errorf("%q: got %v, want %s", address, got, want)
		}
	}
}
