// Package activation takes over listening sockets from the process that started this one, as systemd passes them
// (sd_listen_fds(3)), and tells that process when this one is ready (sd_notify(3)). While a service is replaced, the
// socket stays open: connections wait for the new process, and none is refused.
package activation

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"mirror/internal/netname"
)

// Redirect is the FileDescriptorName of the socket on which a front leads plain http to https.
const Redirect = "redirect"

// firstFD is the first file descriptor that is passed, and maxSockets how many are taken at most.
const (
	firstFD    = 3
	maxSockets = 16
)

// Sockets are listening sockets that were passed and are not taken yet. The zero value has none.
type Sockets struct {
	all []*os.File
}

// Passed returns the sockets that were passed to this process by its environment.
func Passed(getenv func(string) string) *Sockets {
	s := &Sockets{}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 1 || n > maxSockets || getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return s
	}
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	for i := range n {
		name := ""
		if len(names) == n {
			name = names[i]
		}
		s.all = append(s.all, os.NewFile(uintptr(firstFD+i), name))
	}
	return s
}

// Of returns sockets that are known otherwise, such as those of a test. A file's name is the socket's.
func Of(files ...*os.File) *Sockets { return &Sockets{files} }

// Listen takes the first socket that was passed for visitors: any but those named Redirect. If there is none, it
// listens on the address. passed tells which.
func (s *Sockets) Listen(ctx context.Context, address string) (l net.Listener, passed bool, err error) {
	return s.listen(ctx, address, func(name string) bool { return name != Redirect })
}

// ListenRedirect takes the socket named Redirect, or listens on the address.
func (s *Sockets) ListenRedirect(ctx context.Context, address string) (l net.Listener, passed bool, err error) {
	return s.listen(ctx, address, func(name string) bool { return name == Redirect })
}

func (s *Sockets) listen(ctx context.Context, address string, wanted func(name string) bool) (net.Listener, bool, error) {
	if s != nil {
		if i := slices.IndexFunc(s.all, func(f *os.File) bool { return wanted(f.Name()) }); i >= 0 {
			f := s.all[i]
			s.all = slices.Delete(s.all, i, i+1)
			l, err := net.FileListener(f)
			_ = f.Close() // the listener has its own descriptor, which no child inherits
			if err != nil {
				return nil, false, fmt.Errorf("the socket %q that was passed (LISTEN_FDS) cannot be used: %w", f.Name(), err)
			}
			return l, true, nil
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, false, netname.ListenError(address, err)
	}
	return l, false, nil
}

// notifyTime bounds how long the message to the service manager may take.
const notifyTime = time.Second

// Ready tells the service manager that this process serves. Without a manager that wants to know it does nothing.
func Ready(getenv func(string) string) error {
	at := getenv("NOTIFY_SOCKET")
	if at == "" {
		return nil
	}
	conn, err := net.DialTimeout("unixgram", at, notifyTime)
	if err != nil {
		return fmt.Errorf("notify the service manager: %w", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(notifyTime)) // a socket has deadlines
	if _, err := conn.Write([]byte("READY=1")); err != nil {
		return fmt.Errorf("notify the service manager: %w", err)
	}
	return nil
}
