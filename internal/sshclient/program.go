package sshclient

import (
	"os/exec"
	"path/filepath"
	"strings"
)

// program is the ssh program to run.
type program struct {
	line    string // a command line for the shell, "" for none
	path    string // else a program
	variant string // ssh, plink, putty, tortoiseplink, simple or auto
	named   bool   // by git's settings
}

// findProgram chooses as git does: GIT_SSH_COMMAND, core.sshCommand, GIT_SSH, ssh. It returns nil
// where there is none.
func findProgram(o Options) *program {
	p := &program{line: strings.TrimSpace(o.Getenv("GIT_SSH_COMMAND")), named: true}
	if p.line == "" && o.Setting != nil {
		p.line = strings.TrimSpace(o.Setting("core.sshCommand"))
	}
	if p.path = o.Getenv("GIT_SSH"); p.path == "" || p.line != "" {
		p.path = "ssh"
		if p.line == "" {
			path, err := exec.LookPath(p.path)
			if err != nil {
				return nil
			}
			p.path, p.named = path, false
		}
	}
	variant := o.Getenv("GIT_SSH_VARIANT")
	if variant == "" && o.Setting != nil {
		variant = o.Setting("ssh.variant")
	}
	p.setVariant(variant)
	return p
}

// setVariant takes git's ssh.variant, "" for auto.
func (p *program) setVariant(variant string) {
	switch variant {
	case "ssh", "plink", "putty", "tortoiseplink", "simple":
		p.variant = variant
		return
	case "", "auto":
	default: // git takes it for ssh
		p.variant = "ssh"
		return
	}
	first := p.path
	if p.line != "" {
		first = firstWord(p.line)
	}
	base := strings.TrimSuffix(strings.ToLower(filepath.Base(first)), ".exe")
	switch base {
	case "ssh", "plink", "tortoiseplink":
		p.variant = base
	default:
		p.variant = "auto"
	}
}

// firstWord is the first word of a command line for the shell, without quotes.
func firstWord(line string) string {
	line = strings.TrimSpace(line)
	if line == "" {
		return ""
	}
	if quote := line[0]; quote == '"' || quote == '\'' {
		word, _, _ := strings.Cut(line[1:], string(quote))
		return word
	}
	word, _, _ := strings.Cut(line, " ")
	return word
}
