package lab

import (
	"fmt"
	"strings"
	"time"

	"mirror/internal/lab/edge"
)

// Pace is how the origins of a lab take to what is published, as text by the name of the origin:
// what the flags of the lab say.
type Pace struct {
	Lag     map[string]string // 3s, or 3s±500ms: from a commit until it shows
	Trickle map[string]string // 10ms: from one file to the next
	Edges   map[string]string // 0s/2s: how much later than the origin each of its caches is
	Flap    []string          // origins with a second cache that never switches
}

// Apply sets the pace of a lab. The error names the setting that is wrong.
func (p Pace) Apply(l *Lab) error {
	never := map[string]string{}
	for _, name := range p.Flap {
		never[name] = ""
	}
	for _, setting := range []struct {
		flag   string
		values map[string]string
		set    func(o *edge.Origin, text string) error
	}{{"lag", p.Lag, setLag}, {"trickle", p.Trickle, setTrickle}, {"edges", p.Edges, setEdges}, {"flap", never, setFlap}} {
		for name, text := range setting.values {
			o, err := originOf(l, name)
			if err == nil {
				err = setting.set(o, text)
			}
			if err != nil {
				return fmt.Errorf("--%s %s=%s: %w", setting.flag, name, text, err)
			}
		}
	}
	return nil
}

func originOf(l *Lab, name string) (*edge.Origin, error) {
	var names []string
	for _, o := range l.Origins() {
		if o.Name == name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	return nil, fmt.Errorf("there is no such origin in the lab (it has %s)", strings.Join(names, ", "))
}

// setLag takes a duration, with or without what it may be more or less.
func setLag(o *edge.Origin, text string) error {
	middle, spread, _ := strings.Cut(text, "±")
	lag, err := time.ParseDuration(middle)
	if err != nil {
		return err
	}
	var jitter time.Duration
	if spread != "" {
		if jitter, err = time.ParseDuration(spread); err != nil {
			return err
		}
	}
	o.SetLag(max(0, lag-jitter), 2*jitter)
	return nil
}

func setTrickle(o *edge.Origin, text string) error {
	each, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	o.SetTrickle(each, nil)
	return nil
}

func setEdges(o *edge.Origin, text string) error {
	e := edge.Edges{Busted: true}
	for _, part := range strings.Split(text, "/") {
		late, err := time.ParseDuration(part)
		if err != nil {
			return err
		}
		e.Stale = append(e.Stale, late)
	}
	o.SetEdges(e)
	return nil
}

func setFlap(o *edge.Origin, _ string) error {
	o.SetFlap(true)
	return nil
}
