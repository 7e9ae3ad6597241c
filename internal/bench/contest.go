package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// Tool is a program that is measured.
type Tool struct {
	Name string
	// Missing says which program is not installed, "" where the tool can be run.
	Missing string
	// Version is a line that prints the program's version.
	Version string
	// Open starts a server with an empty place for one round.
	Open func(e *Entry) Place
}

// Place is where a tool publishes to.
type Place struct {
	// Publish returns the command for a step; one without a Line sits the step out.
	Publish func(step string) Command
	// Before, if set, prepares a step. Its time is not counted.
	Before func(step string) error
	// Stored, if set, reads what the place holds, and Own tells which files the tool keeps there beside the site.
	Stored func() (Tree, error)
	Own    func(path string) bool
}

// Step is what happens to the site before each tool publishes it.
type Step struct {
	Name   string
	Change func(dir string, change int) error // nil: nothing; change is another number each time
}

// Entry is what a tool gets for one round.
type Entry struct {
	testing.TB
	Site  string // folder
	count bool
	meter *Meter
}

// HTTP returns the address to use for the HTTP server at addr: its own, or that of a meter.
func (e *Entry) HTTP(addr string) string { return e.through(addr, CountHTTP) }

// TCP is HTTP for another protocol.
func (e *Entry) TCP(addr string) string { return e.through(addr, CountBytes) }

func (e *Entry) through(addr string, start func(addr string) (*Meter, error)) string {
	e.Helper()
	if !e.count {
		return addr
	}
	meter, err := start(addr)
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { _ = meter.Close() }) // the counts were taken
	e.meter = meter
	return meter.Addr
}

// Contest measures tools on a site.
type Contest struct {
	Site   string
	Steps  []Step
	Tools  []Tool
	Rounds int // that are timed; one that is counted comes before them

	changes int
	costs   map[cell][]Cost
	traffic map[cell]Traffic
}

// cell is of one tool in one step.
type cell struct{ tool, step string }

// Run plays the rounds. A tool that fails, or that stores something else than the site, fails the test and takes no further
// step in that round.
func (c *Contest) Run(t *testing.T) {
	t.Helper()
	c.costs, c.traffic = map[cell][]Cost{}, map[cell]Traffic{}
	for round := range c.Rounds + 1 {
		name := fmt.Sprintf("timed_%d", round) // part of the names of folders, which stand in URLs
		if round == 0 {
			name = "counted"
		}
		t.Run(name, func(t *testing.T) { c.round(t, round) })
	}
}

// present are the tools that are installed.
func (c *Contest) present() (tools []Tool) {
	return slices.DeleteFunc(slices.Clone(c.Tools), func(tool Tool) bool { return tool.Missing != "" })
}

// round lets all tools take every step, each in the other order than in the round before.
func (c *Contest) round(t *testing.T, round int) {
	tools := c.present()
	if round%2 == 1 {
		slices.Reverse(tools)
	}
	entries, places := map[string]*Entry{}, map[string]Place{}
	for _, tool := range tools {
		entries[tool.Name] = &Entry{TB: t, Site: c.Site, count: round == 0}
		places[tool.Name] = tool.Open(entries[tool.Name])
	}
	failed := map[string]bool{}
	for _, step := range c.Steps {
		if step.Change != nil {
			c.changes++
			if err := step.Change(c.Site, c.changes); err != nil {
				t.Fatal(err)
			}
		}
		for _, tool := range tools {
			if failed[tool.Name] {
				continue
			}
			if err := c.take(t, cell{tool.Name, step.Name}, places[tool.Name], entries[tool.Name].meter); err != nil {
				t.Errorf("%s, %s: %v", tool.Name, step.Name, err)
				failed[tool.Name] = true
			}
		}
	}
}

// take has one tool take one step, and verifies what is stored then.
func (c *Contest) take(t *testing.T, at cell, place Place, meter *Meter) error {
	t.Helper()
	command := place.Publish(at.step)
	if command.Line == "" {
		return nil
	}
	if place.Before != nil {
		if err := place.Before(at.step); err != nil {
			return err
		}
	}
	if meter != nil {
		meter.Take()
	}
	cost, err := Run(t.Context(), command)
	if err != nil {
		return err
	}
	if meter != nil {
		c.traffic[at] = meter.Take()
	} else {
		c.costs[at] = append(c.costs[at], cost)
	}
	t.Logf("%s, %s: %s, CPU %s", at.tool, at.step, cost.Wall.Round(time.Millisecond), cost.CPU.Round(time.Millisecond))
	return c.verify(place)
}

// verify compares what is stored with the site.
func (c *Contest) verify(place Place) error {
	if place.Stored == nil {
		return nil
	}
	want, err := ReadFolder(c.Site)
	if err != nil {
		return err
	}
	stored, err := place.Stored()
	if err != nil {
		return err
	}
	return want.Compare(stored, place.Own)
}
