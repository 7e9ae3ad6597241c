package credentials

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mirror/internal/command"
)

// Bounds of a helper. One may talk to a keychain or to a server.
const (
	helperTimeout = 30 * time.Second
	maxAnswer     = 64 << 10 // bytes
)

// helped is what a helper gave.
type helped struct {
	login   Login
	lines   string   // all of the answer, in git's protocol
	secrets []string // beside the password
	run     func(ctx context.Context, git, helper, input string) (string, error)
}

// ask asks git for a login, or the helpers of its settings where git is not installed. It returns nil
// where there is none. See git-credential(1) and gitcredentials(7).
func ask(ctx context.Context, address *url.URL, o Options) (*helped, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		git = ""
	}
	return askWith(ctx, address, o, git)
}

// askWith is ask with the git at a path, "" for none.
func askWith(ctx context.Context, address *url.URL, o Options, git string) (*helped, error) {
	run, withPath := runGit(git, o), true // git leaves the path out itself, where its settings say so
	if git == "" {
		run, withPath = runHelpers(address, o), isTrue(o.Git.Last("credential", "useHttpPath", address))
	}
	answer, err := run(ctx, "fill", "get", description(address, o, withPath))
	if err != nil && onlyNoPrompt(err) {
		return nil, nil //nolint:nilnil // no helper has answered
	}
	if err != nil {
		return nil, err
	}
	h := &helped{lines: answer, run: run}
	for line := range strings.Lines(answer) {
		switch key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "="); key {
		case "username":
			h.login.User = value
		case "password":
			h.login.Password = value
		case "oauth_refresh_token", "credential":
			h.secrets = append(h.secrets, value)
		}
	}
	if h.login.Password == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	return h, nil
}

// noPrompt is what git says when no helper has answered and it may not ask.
const noPrompt = "terminal prompts disabled"

// failedError is a program that did not answer.
type failedError struct {
	err  error
	said string
}

// Error says what the program said.
func (e *failedError) Error() string { return fmt.Sprintf("credential helper: %v: %s", e.err, e.said) }

// Unwrap is how the program ended.
func (e *failedError) Unwrap() error { return e.err }

// onlyNoPrompt reports whether nothing went wrong but that git may not ask.
func onlyNoPrompt(err error) bool {
	var failed *failedError
	if !errors.As(err, &failed) {
		return false
	}
	for line := range strings.Lines(failed.said) {
		if !strings.Contains(line, noPrompt) {
			return false
		}
	}
	return failed.said != ""
}

// tell tells git, or the helpers, what became of the login. What they make of it is not our concern.
func (h *helped) tell(ctx context.Context, git, helper string) {
	_, _ = h.run(context.WithoutCancel(ctx), git, helper, h.lines)
}

// description is what git tells a helper of an address.
func description(address *url.URL, o Options, withPath bool) string {
	text := "protocol=" + address.Scheme + "\nhost=" + address.Host + "\n"
	if path := strings.TrimPrefix(address.Path, "/"); path != "" && !strings.ContainsAny(path, "\n\x00") && withPath {
		text += "path=" + path + "\n"
	}
	user := userOf(address)
	if user == "" {
		user = o.Git.Last("credential", "username", address)
	}
	if user != "" && !strings.ContainsAny(user, "\n\x00") {
		text += "username=" + user + "\n"
	}
	return text
}

func isTrue(value string) bool {
	switch strings.ToLower(value) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// runGit runs `git credential`. It finds the helpers, and GIT_ASKPASS or core.askPass, which are
// programs that answer; what would ask at a terminal or on a screen fails.
func runGit(git string, o Options) func(ctx context.Context, verb, _, input string) (string, error) {
	return func(ctx context.Context, verb, _, input string) (string, error) {
		return run(ctx, o, input, git, "-c", "credential.interactive=false", "-c", "safe.bareRepository=explicit", "credential", verb)
	}
}

// runHelpers runs the helpers that git's settings name, in their order, until one has answered.
func runHelpers(address *url.URL, o Options) func(ctx context.Context, _, verb, input string) (string, error) {
	return func(ctx context.Context, _, verb, input string) (string, error) {
		var helpers []string
		for _, h := range o.Git.For("credential", "helper", address) {
			if helpers = append(helpers, h); h == "" { // clears what came before
				helpers = nil
			}
		}
		var failed error
		for _, h := range helpers {
			name, args := helperCommand(h, verb)
			out, err := run(ctx, o, input, name, args...)
			failed = errors.Join(failed, err)
			switch {
			case err != nil || verb != "get":
			case strings.Contains(out, "password="):
				return input + out, nil
			case strings.Contains("\n"+out, "\nquit=1"), strings.Contains("\n"+out, "\nquit=true"):
				return "", failed
			}
		}
		return "", failed
	}
}

// helperCommand is the command of a helper: a line for the shell after an exclamation mark, a
// program by its path, or git-credential-NAME.
func helperCommand(helper, verb string) (string, []string) {
	line := helper
	if rest, shell := strings.CutPrefix(helper, "!"); shell {
		line = rest
	} else if first, _, _ := strings.Cut(helper, " "); !filepath.IsAbs(first) {
		line = "git-credential-" + helper
	}
	return "sh", []string{"-c", line + ` "$@"`, line, verb}
}

// run runs a program with an input and returns what it printed. What it wrote on its standard error
// is in the error.
func run(ctx context.Context, o Options, input, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, helperTimeout, fmt.Errorf("no answer within %s", helperTimeout))
	defer cancel()
	cmd := command.New(ctx, name, args...)
	cmd.Env = environment(o)
	cmd.Stdin = strings.NewReader(input)
	var out, said beginning
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := command.Run(ctx, cmd); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return "", &failedError{err, strings.TrimSpace(said.String())}
	}
	return out.String(), nil
}

// environment keeps helpers from asking.
func environment(o Options) []string {
	env := os.Environ()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_ASKPASS"} {
		if value := o.Getenv(name); value != os.Getenv(name) {
			env = append(env, name+"="+value)
		}
	}
	return append(env, "GIT_TERMINAL_PROMPT=0", "SSH_ASKPASS=", "GCM_INTERACTIVE=never")
}

// beginning keeps the beginning of what is written.
type beginning struct{ buf bytes.Buffer }

// Write keeps what fits.
func (b *beginning) Write(p []byte) (int, error) {
	b.buf.Write(p[:min(len(p), maxAnswer-b.buf.Len())])
	return len(p), nil
}

// String is what was kept.
func (b *beginning) String() string { return b.buf.String() }
