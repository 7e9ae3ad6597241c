package diff

import "slices"

// State is how an origin stands.
type State string

// The states of an origin.
const (
	Agrees       State = "agree"
	Drifts       State = "drift"
	CannotBeSeen State = "unreachable" // it, or some of its pages, could not be judged
	Unknown      State = "unknown"     // no check has looked at it
)

// Worst is the state that several have together: where one drifts they drift; else where one
// could not be judged they could not; else where one is unknown so are they. It is "" of none.
func Worst(states ...State) State {
	for _, state := range []State{Drifts, CannotBeSeen, Unknown, Agrees} {
		if slices.Contains(states, state) {
			return state
		}
	}
	return ""
}
