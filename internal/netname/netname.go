// Package netname says what the name of a host means without asking the network.
package netname

import (
	"net"
	"strings"
)

// IsLoopback reports whether a host, a name or an address with or without brackets, is this machine:
// 127.0.0.0/8, ::1, localhost and the names below localhost (RFC 6761, section 6.3).
func IsLoopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}
