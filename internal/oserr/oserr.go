// Package oserr tells what an error of the operating system means where each has numbers of its own for it:
// package errors knows fs.ErrNotExist and its like only.
package oserr

import (
	"errors"
	"syscall"
)

// NoRoom reports that a disk, a quota or a limit of sizes is full.
func NoRoom(err error) bool { return isAny(err, noRoom()) }

// ReadOnly reports that nothing can be written to a file system.
func ReadOnly(err error) bool { return isAny(err, readOnly()) }

// Refused reports that nothing listens at an address.
func Refused(err error) bool { return isAny(err, refused()) }

// InUse reports that another program listens at an address.
func InUse(err error) bool { return isAny(err, inUse()) }

// NoAddress reports that the machine does not have an address.
func NoAddress(err error) bool { return isAny(err, noAddress()) }

// Unreachable reports that the network does not lead to a host.
func Unreachable(err error) bool { return isAny(err, unreachable()) }

// Reset reports that the other side, or what is between, has dropped a connection.
func Reset(err error) bool { return isAny(err, reset()) }

// NoFile reports that a name cannot be that of a file: the file, or a folder of its path, is missing, is
// something else, or has a name that no file can have.
func NoFile(err error) bool { return isAny(err, noFile()) }

func isAny(err error, codes []syscall.Errno) bool {
	for _, code := range codes {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
