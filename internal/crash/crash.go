// Package crash sets what a crash of the Go runtime looks like from outside. An unrecovered panic, or a
// fatal error such as too little memory, makes a Go program exit with code 2, which for mirror means a
// wrong config: scripts, and systemd with RestartPreventExitStatus=2, would take the one for the other.
package crash

import "runtime/debug"

// Abort has a crash end the process by a signal, SIGABRT on Unix: 134 in a shell. No core is dumped, since
// the memory may hold secrets.
func Abort() {
	dropCore()
	debug.SetTraceback("crash")
}
