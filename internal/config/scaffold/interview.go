package scaffold

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mirror/internal/config"
	"mirror/internal/config/strictyaml"
	"mirror/internal/generators"
	"mirror/targets"
)

// Prompt asks a person. usual is what an empty answer stands for; check says what is wrong with an answer.
type Prompt func(question, usual string, check func(answer string) error) (string, error)

// maxAnswers bounds how often one question is asked.
const maxAnswers = 10

// ErrNoAnswer is the end of the input, or too many wrong answers, where an answer is needed.
var ErrNoAnswer = errors.New("no answer")

// line is one that was read, or the end of the input.
type line struct {
	text string
	err  error
}

// NewPrompt asks on w and reads the answers from r, until ctx ends: a read from a terminal cannot be interrupted, so
// that it goes on in a goroutine until the program ends.
func NewPrompt(ctx context.Context, r io.Reader, w io.Writer) Prompt {
	reader, lines := bufio.NewReader(r), make(chan line, 1)
	read := func() (string, error) {
		go func() {
			text, err := reader.ReadString('\n')
			lines <- line{text, err}
		}()
		select {
		case l := <-lines:
			return l.text, l.err
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return func(question, usual string, check func(string) error) (string, error) {
		for range maxAnswers {
			fmt.Fprintf(w, "%s [%s]: ", question, usual)
			question = question[strings.LastIndexByte(question, '\n')+1:] // what explains it is shown once
			line, err := read()
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			answer := strings.TrimSpace(line)
			if answer == "" {
				answer = usual
			}
			wrong := check(answer)
			if wrong == nil {
				return answer, nil
			}
			fmt.Fprintf(w, "  %v\n", wrong)
			if err != nil {
				break
			}
		}
		return "", fmt.Errorf("%s: %w", question, ErrNoAnswer)
	}
}

// interview asks for what a config needs. Without a prompt it asks nothing.
type interview struct {
	prompt Prompt
	kinds  targets.Kinds
	folder string
}

// site asks for the folder of the generated site.
func (i interview) site(s *generators.Site, o Options) error {
	if i.prompt == nil || o.Dir != "" {
		return nil
	}
	question := "Folder of the generated site"
	if s.Unknown != "" {
		question = s.Unknown + ".\n" + question
	}
	dir, err := i.prompt(question, s.Dir, i.wrongDir)
	if err == nil {
		s.Dir, s.Unknown = dir, ""
	}
	return err
}

// wrongDir says why a folder is not that of a generated site.
func (i interview) wrongDir(dir string) error {
	path := dir
	if !filepath.IsAbs(path) {
		path = filepath.Join(i.folder, path)
	}
	info, err := os.Stat(path)
	switch more := mixed(i.folder, dir); {
	case dir == "":
		return errors.New("a folder is needed, such as dist")
	case more != "":
		return fmt.Errorf("%s holds more than the site: %s", dir, more)
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is not a folder", dir)
	case err != nil:
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return fmt.Errorf("there is no folder %s", filepath.Dir(path))
		}
	}
	return nil
}

// kindsOf asks for the kinds of targets.
func (i interview) kindsOf(o Options, git bool) ([]string, error) {
	if i.prompt == nil || len(o.Kinds) > 0 {
		return o.Kinds, nil
	}
	usual := i.kinds[0].Name
	if _, ok := i.kinds.Find("git"); git && ok {
		usual = "git"
	}
	about := "Kinds of targets, with commas between:\n"
	for _, k := range i.kinds {
		about += fmt.Sprintf("  %-6s %s\n", k.Name, k.Sample.About)
	}
	answer, err := i.prompt(about+"Targets", usual, func(answer string) error {
		for _, name := range listed(answer) {
			if _, ok := i.kinds.Find(name); !ok {
				return fmt.Errorf("%q is not a kind of target (%s)", name, strings.Join(i.kinds.Names(), ", "))
			}
		}
		if len(listed(answer)) == 0 {
			return errors.New("at least one is needed")
		}
		return nil
	})
	return listed(answer), err
}

func listed(answer string) []string {
	return strings.FieldsFunc(answer, func(c rune) bool { return c == ',' || c == ' ' })
}

// noOrigin is the answer for a target without a live site.
const noOrigin = "none"

// targets asks for the keys of each target and for its live site.
func (i interview) targets(all []Target) error {
	if i.prompt == nil {
		return nil
	}
	for n := range all {
		t := &all[n]
		kind, ok := i.kinds.Find(t.Type)
		if !ok {
			return nil // Render says so
		}
		if t.Values == nil {
			t.Values = map[string]string{}
		}
		if err := i.keys(t, kind); err != nil {
			return err
		}
		question := fmt.Sprintf("%s: URL of the live site, or %s", t.Type, noOrigin)
		answer, err := i.prompt(question, t.Origin, func(answer string) error { return i.wrongOrigin(kind, answer) })
		if err != nil {
			return err
		}
		t.Origin = answer
	}
	return nil
}

// keys asks for a target's own keys.
func (i interview) keys(t *Target, kind targets.Kind) error {
	for _, key := range slices.Concat(kind.Sample.Keys, kind.Sample.Asked) {
		usual := t.Values[key.Name]
		if usual == "" && !key.Placeholder {
			usual = key.Value
		}
		answer, err := i.prompt(t.Type+": "+key.Name, usual, func(answer string) error { return i.wrongValue(kind, key, answer) })
		if err != nil {
			return err
		}
		t.Values[key.Name] = answer
	}
	return nil
}

// wrongValue says what the config would say of a value.
func (i interview) wrongValue(kind targets.Kind, key targets.SampleKey, answer string) error {
	if answer == "" && key.Placeholder {
		return errors.New("a value is needed, such as " + key.Value)
	}
	return i.refused(kind, key.Name, fmt.Sprintf("{name: t, type: %s, %s: %s}", kind.Name, key.Name, flowScalar(answer)))
}

func (i interview) wrongOrigin(kind targets.Kind, answer string) error {
	if answer == noOrigin {
		return nil
	}
	return i.refused(kind, "url", fmt.Sprintf("{name: t, type: %s, origin: {url: %s}}", kind.Name, flowScalar(answer)))
}

// refused returns what a config with this target says of one key.
func (i interview) refused(kind targets.Kind, key, target string) error {
	text := "version: 1\nsite: {dir: " + flowScalar(filepath.Join(i.folder, "x")) + "}\ntargets:\n- " + target + "\n"
	_, err := config.Parse(config.FileName, []byte(text), os.Getenv, i.kinds)
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		return nil
	}
	for _, one := range all.Unwrap() {
		var e *strictyaml.Error
		if errors.As(one, &e) && strings.HasPrefix(e.Msg, key+":") {
			return errors.New(e.Msg)
		}
	}
	return nil
}
