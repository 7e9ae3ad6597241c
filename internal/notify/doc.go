// Package notify sends notifications of what the daemon sees, and few of them: one message when an
// episode opens and one when it closes, events of the same moment in one message, as few as possible
// of an origin that flaps, only urgent ones in a quiet time, and never a secret.
//
// Send takes an event and returns at once. Each recipient has its own queue and goroutine, so
// that one that does not answer delays no other.
package notify
