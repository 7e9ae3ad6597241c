package sshclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mirror/internal/command"
)

// external runs an ssh program.
type external struct {
	program *program
	host    Host
	options Options

	once    sync.Once // guards the finding out of what follows
	variant string
	share   bool // Options.Multiplex can be used
}

// Run starts the program.
func (e *external) Run(ctx context.Context, remote string, stderr io.Writer) (*Process, error) {
	return e.begin(ctx, stderr, nil, remote)
}

// Subsystem starts the program.
func (e *external) Subsystem(ctx context.Context, name string, stderr io.Writer) (*Process, error) {
	return e.begin(ctx, stderr, []string{"-s"}, name)
}

func (e *external) begin(ctx context.Context, stderr io.Writer, extra []string, remote string) (*Process, error) {
	if e.options.Key != "" { // ssh would say nothing of it
		if _, err := os.Stat(e.options.Key); err != nil {
			return nil, fmt.Errorf("ssh_key: %w", err)
		}
	}
	e.once.Do(func() { e.variant = e.findVariant(ctx); e.share = e.canShare(ctx) })
	args, err := e.arguments(e.variant)
	if err != nil {
		return nil, err
	}
	if e.variant == "simple" && len(extra) > 0 {
		return nil, fmt.Errorf("the ssh program that git's settings name is not known to start the subsystem %s (hint: GIT_SSH_VARIANT=ssh, if it is like OpenSSH)", remote)
	}
	if e.share {
		args = append(args, "-o", "ControlMaster=auto", "-o", "ControlPersist=no", "-o", `ControlPath="`+percent(e.options.Multiplex)+`"`)
	}
	p, err := e.start(ctx, stderr, slices.Concat(args, extra, []string{destination(e.host), remote})...)
	if err != nil {
		return nil, err
	}
	return &Process{In: p.In, Out: p.Out, Kill: p.Kill, Wait: p.Wait}, nil
}

// start runs the program, by the shell where it is a command line, as git does.
func (e *external) start(ctx context.Context, stderr io.Writer, args ...string) (*command.Process, error) {
	name := e.program.path
	if line := e.program.line; line != "" {
		name, args = shellCommand(line, args)
	}
	p, err := command.Start(ctx, sshEnvironment(os.Environ()), stderr, name, args...)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", name, err)
	}
	return p, nil
}

// shellCommand has the shell run a command line. Where there is none, the line is cut at its spaces.
func shellCommand(line string, args []string) (name string, all []string) {
	if _, err := exec.LookPath("sh"); err != nil {
		words := strings.Fields(line)
		return words[0], append(words[1:], args...)
	}
	return "sh", append([]string{"-c", line + ` "$@"`, line}, args...)
}

// sshEnvironment is env without what would have ssh ask on a screen, or the server speak another
// version of git's protocol.
func sshEnvironment(env []string) []string {
	kept := make([]string, 0, len(env)+1)
	for _, v := range env {
		if !strings.HasPrefix(v, "GIT_PROTOCOL=") && !strings.HasPrefix(v, "SSH_ASKPASS_REQUIRE=") {
			kept = append(kept, v)
		}
	}
	return append(kept, "SSH_ASKPASS_REQUIRE=never")
}

// arguments are the options before the host.
func (e *external) arguments(variant string) ([]string, error) {
	port := strconv.Itoa(e.host.Port)
	var args []string
	if variant == "ssh" {
		args = e.openSSH()
		if e.host.Port != 0 {
			args = append(args, "-p", port)
		}
		return args, nil
	}
	if e.options.Key != "" || e.options.KnownHosts != "" {
		return nil, fmt.Errorf("ssh_key and known_hosts cannot be given to the ssh program that git's settings name, "+
			"which is taken for %s (hint: give them in its own settings, or set GIT_SSH_VARIANT=ssh)", variant)
	}
	if variant != "simple" {
		args = append(args, "-batch")
	}
	if e.host.Port != 0 {
		if variant == "simple" {
			return nil, errors.New("the ssh program that git's settings name takes no port (hint: GIT_SSH_VARIANT=ssh, if it is like OpenSSH)")
		}
		args = append(args, "-P", port)
	}
	return args, nil
}

// openSSH are OpenSSH's options. The first value of an option counts, so a command line's own go
// before these.
func (e *external) openSSH() []string {
	args := []string{"-o", "BatchMode=yes"}
	if e.options.Key != "" {
		args = append(args, "-o", `IdentityFile="`+percent(e.options.Key)+`"`, "-o", "IdentitiesOnly=yes")
	}
	if e.options.KnownHosts != "" {
		args = append(args, "-o", `UserKnownHostsFile="`+percent(e.options.KnownHosts)+`"`,
			"-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes")
	}
	return args
}

// percent keeps ssh from taking a part of a file's name for one of its tokens.
func percent(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// findVariant is what a program of an unknown name is taken for: git asks it for its settings, which
// only OpenSSH understands.
func (e *external) findVariant(ctx context.Context) string {
	if e.program.variant != "auto" {
		return e.program.variant
	}
	if _, err := e.settings(ctx); err != nil {
		return "simple"
	}
	return "ssh"
}

// canShare says whether further sessions may go over the connection of the first one. A user's own
// ControlPath stays in use: its connection may be one that only the user can open.
func (e *external) canShare(ctx context.Context) bool {
	if e.options.Multiplex == "" || e.variant != "ssh" || runtime.GOOS == "windows" {
		return false
	}
	found, err := e.settings(ctx)
	return err == nil && (found["controlpath"] == "" || found["controlpath"] == "none")
}

const (
	settingsTimeout = 30 * time.Second
	maxSettings     = 256 << 10 // bytes
)

// settings are what OpenSSH makes of its options and of ssh_config for the host.
func (e *external) settings(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, settingsTimeout)
	defer cancel()
	args, err := e.arguments("ssh")
	if err != nil {
		return nil, err
	}
	p, err := e.start(ctx, io.Discard, append(append([]string{"-G"}, args...), destination(e.host))...)
	if err != nil {
		return nil, err
	}
	_ = p.In.Close() // nothing is written
	var out bytes.Buffer
	_, err = io.Copy(&out, io.LimitReader(p.Out, maxSettings))
	p.Out.Close()
	if err = errors.Join(err, p.Wait()); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for line := range strings.Lines(out.String()) {
		if key, value, _ := strings.Cut(strings.TrimSpace(line), " "); found[key] == "" {
			found[key] = value
		}
	}
	return found, nil
}

// Hint looks the host's real name and port up in ssh's own settings.
func (e *external) Hint(ctx context.Context, said string) string {
	var found map[string]string
	if e.variant == "ssh" && strings.Contains(said, "Host key verification failed") {
		found, _ = e.settings(ctx) // without them the hint names what the URL does
	}
	return hint(e.host, e.options, said, found)
}
