// Package notify tells people what the daemon sees, in a way that they keep switched on: one
// message when an episode opens and one when it closes, several that come together as one,
// a flapping origin as little as possible, nothing at night that can wait, and never a secret.
//
// Send takes an event and returns at once. Each recipient has a queue, a goroutine and an
// order of its own, so that one that cannot be reached delays no other.
package notify
