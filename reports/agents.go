package reports

import (
	"fmt"
	"io"
	"time"
)

// AgentsSchema names the form of the document of the places for agents.
const AgentsSchema = "mirror.agents/v1"

// Agents is the document of `mirror agent list` and `mirror agent enroll`.
type Agents struct {
	Schema string       `json:"schema"` // mirror.agents/v1
	Places []AgentPlace `json:"places"`
	// Command enrols the agent of the place, on its machine. It has a token, which works once.
	Command string `json:"command,omitempty"`
}

// AgentPlace is a place that has an agent, or waits for one.
type AgentPlace struct {
	Name     string     `json:"name"`
	Enrolled *time.Time `json:"enrolled"` // null before its agent has enrolled
	Expires  *time.Time `json:"expires"`  // of the token that waits for an agent, null for none
	Origins  []string   `json:"origins"`  // URLs that the agent may look at
}

// Text writes a line for each place, or the command alone.
func (d Agents) Text(w io.Writer, _ Style) error {
	if d.Command != "" {
		_, err := fmt.Fprintln(w, d.Command)
		return err
	}
	for _, p := range d.Places {
		if _, err := fmt.Fprintf(w, "%-16s %s\n", clean(p.Name), p.state()); err != nil {
			return err
		}
	}
	return nil
}

func (p AgentPlace) state() string {
	switch {
	case p.Enrolled != nil:
		return "enrolled " + p.Enrolled.Format(time.DateOnly)
	case p.Expires != nil:
		return "waits for its agent until " + p.Expires.UTC().Format(time.RFC3339)
	}
	return "has no agent"
}
