// Package demo tells the whole story of the program on embedded origins: publish a site, publish
// its next version, check, put seven kinds of drift into the origins, find exactly those, heal
// them by publishing. Each step does something for real and looks whether it came out as it should.
package demo

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"mirror/diff"
	"mirror/internal/config"
	"mirror/internal/humanize"
	"mirror/internal/lab"
	"mirror/internal/labagents"
	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/reports"
)

//go:embed all:site
var bundled embed.FS

// Options say what the demo runs on.
type Options struct {
	Lab  *lab.Lab
	Site string // the folder of the site, of which the demo uses a copy; "" for a small site of its own
	// Front tells the story of a front and two visitors in place of that of the origins.
	Front bool
	// In opens a config of the lab and the site for one use-case.
	In func(file string, do func(w *workspace.Workspace) error) error
	// Begin hears the name of each step.
	Begin func(step string)
	// Agents is how many places look at the origins beside this machine, 0 for none.
	Agents int
	Log    *slog.Logger // of the agents
}

// Run goes through the steps, with a copy of the site and a config in a temporary folder. The document
// says how each came out; an error is of the copy, or that of ctx.
func Run(ctx context.Context, o Options) (*reports.Demo, error) {
	dir, err := os.MkdirTemp("", "mirror-demo-*")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	defer os.RemoveAll(dir)
	public := filepath.Join(dir, "public")
	if err := copySite(public, o.Site); err != nil {
		return nil, fmt.Errorf("demo: copy the site: %w", err)
	}
	var agents *labagents.Agents
	if o.Agents > 0 {
		if agents, err = labagents.Start(ctx, o.Lab, dir, o.Agents, o.Log); err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		defer agents.Close()
		o.Lab.Agents = agents.Listen
	}
	file, _, err := o.Lab.WriteConfig(dir, config.FileName, public)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	in := func(do func(w *workspace.Workspace) error) error { return o.In(file, do) }
	s := &steps{lab: o.Lab, site: public, in: in, begin: o.Begin, doc: &reports.Demo{Schema: reports.DemoSchema}, agents: agents, log: o.Log}
	story := s.run
	if o.Front {
		story = s.runFront
	}
	if err := story(ctx); err != nil {
		return nil, err
	}
	return s.doc, nil
}

// copySite copies the site in a folder, "" for the bundled one.
func copySite(to, from string) error {
	if from == "" {
		site, err := fs.Sub(bundled, "site")
		if err != nil {
			return err
		}
		return os.CopyFS(to, site)
	}
	root, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	return errors.Join(os.CopyFS(to, root.FS()), root.Close())
}

type steps struct {
	lab   *lab.Lab
	site  string
	in    func(do func(w *workspace.Workspace) error) error
	begin func(step string)
	doc   *reports.Demo

	agents *labagents.Agents // nil for none
	log    *slog.Logger
	places bool // checks look from the places of the agents, too
	// windows has publishes be watched from there.
	windows bool
}

// run goes through the steps. It ends early where a step could not be done at all.
func (s *steps) run(ctx context.Context) error {
	s.doc.OK = true
	var want []drift
	all := []step{
		{"publish v1", func() (string, error) { return s.first(ctx, workspace.PublishOptions{}) }},
		{"publish v2", func() (string, error) { return s.second(ctx) }},
		{"publish v2 again", func() (string, error) { return s.again(ctx) }},
		{"check", func() (string, error) { return s.agree(ctx) }},
		{"inject drift", func() (_ string, err error) { want, err = s.inject(ctx); return s.injected(want), err }},
		{"check finds exactly that", func() (string, error) { return s.caught(ctx, want) }},
		{"repair by publishing", func() (string, error) { return s.heal(ctx, want) }},
		{"check once more", func() (string, error) { return s.agree(ctx) }},
	}
	if s.agents != nil {
		all = append(all, s.fromPlaces(ctx)...)
	}
	return s.each(ctx, all)
}

// step is one step of the story.
type step struct {
	name string
	do   func() (string, error)
}

// each goes through steps, and ends early where one could not be done.
func (s *steps) each(ctx context.Context, all []step) error {
	for _, step := range all {
		s.begin(step.name)
		detail, err := step.do()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.did(step.name, detail, err); err != nil {
			return nil // the later steps stand on this one
		}
	}
	return nil
}

// did notes how a step came out.
func (s *steps) did(name, detail string, err error) {
	if err != nil {
		s.doc.OK, detail = false, err.Error()
	}
	s.doc.Steps = append(s.doc.Steps, reports.DemoStep{Name: name, OK: err == nil, Detail: detail})
}

// The pages that the demo adds, so that every site has enough to put drift on.
const (
	demoFolder  = "mirror-demo"
	removedPage = demoFolder + "/first.html"
	changedPage = demoFolder + "/page 1 镜.html"
	demoPages   = 6
)

func demoPage(i int) string {
	return fmt.Sprintf("<!doctype html><title>%d</title><p>Page %d of the demo.\n", i, i)
}

func (s *steps) first(ctx context.Context, o workspace.PublishOptions) (string, error) {
	pages := map[string]string{removedPage: "<!doctype html><title>first</title><p>This page is in v1 only.\n"}
	for i := 1; i <= demoPages; i++ {
		pages[fmt.Sprintf("%s/page %d 镜.html", demoFolder, i)] = demoPage(i)
	}
	if err := s.write(pages); err != nil {
		return "", err
	}
	return s.publishBy(ctx, "live", o)
}

// second changes a page, adds one and removes one.
func (s *steps) second(ctx context.Context) (string, error) {
	if err := s.write(map[string]string{
		changedPage:                 "<!doctype html><title>1</title><p>Page 1 of the demo, second edition.\n",
		demoFolder + "/second.html": "<!doctype html><title>second</title><p>This page is new in v2.\n",
	}); err != nil {
		return "", err
	}
	if err := os.Remove(filepath.Join(s.site, filepath.FromSlash(removedPage))); err != nil {
		return "", err
	}
	return s.publish(ctx, "live")
}

func (s *steps) again(ctx context.Context) (string, error) {
	detail, err := s.publish(ctx, "unchanged")
	if err != nil {
		return "", err
	}
	for _, t := range s.doc.Publish[len(s.doc.Publish)-1].Targets {
		if t.SentFiles > 0 || t.SentBytes > 0 {
			return "", fmt.Errorf("%s was sent %d files, %d bytes", t.Name, t.SentFiles, t.SentBytes)
		}
	}
	return detail, nil
}

func (s *steps) write(pages map[string]string) error {
	for name, text := range pages {
		file := filepath.Join(s.site, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// publish publishes as a user would and wants the given outcome.
func (s *steps) publish(ctx context.Context, outcome string) (string, error) {
	return s.publishBy(ctx, outcome, workspace.PublishOptions{})
}

func (s *steps) publishBy(ctx context.Context, outcome string, o workspace.PublishOptions) (string, error) {
	var report *publish.Report
	err := s.in(func(w *workspace.Workspace) (err error) {
		do := func() error {
			report, err = w.Publish(ctx, o)
			return err
		}
		if s.windows {
			return w.WithPlaces(ctx, s.log, do)
		}
		return do()
	})
	if report == nil {
		return "", err
	}
	doc := workspace.PublishDocument(report)
	doc.Ending = reports.Ending{Error: text(err), Warnings: report.Warnings}
	s.doc.Publish = append(s.doc.Publish, *doc)
	if doc.Outcome != outcome || err != nil {
		return "", fmt.Errorf("outcome %s, want %s: %s", doc.Outcome, outcome, cmp.Or(doc.Error, "not every origin agrees"))
	}
	var sent int64
	for _, t := range doc.Targets {
		sent += t.SentBytes
	}
	detail := fmt.Sprintf("%s: release %s, %d files on %d targets, %s sent",
		doc.Outcome, doc.Release.Short(), doc.Files, len(doc.Targets), humanize.Bytes(sent))
	if doc.Window != nil && doc.Window.Length() != "" {
		detail += ", inconsistency window " + doc.Window.Length()
	}
	return detail, nil
}

// check checks as a user would and wants the given state.
func (s *steps) check(ctx context.Context, want diff.State) (diff.Verdict, error) {
	var v diff.Verdict
	err := s.in(func(w *workspace.Workspace) (err error) {
		if s.places {
			places, hub, err := w.OpenPlaces(ctx, true, s.log)
			if err != nil {
				return err
			}
			defer hub.Close()
			w.LookFrom(places)
		}
		v, err = w.Check(ctx, workspace.CheckOptions{})
		return err
	})
	if err != nil {
		return v, err
	}
	s.doc.Check = append(s.doc.Check, reports.CheckOf(v))
	if got := v.State(); got != want {
		return v, fmt.Errorf("the origins are in state %s, want %s: %v", got, want, found(v))
	}
	return v, nil
}

func (s *steps) agree(ctx context.Context) (string, error) {
	v, err := s.check(ctx, diff.Agrees)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("exit code 0: %d origins agree on %d pages", len(v.Origins), v.Pages), nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
