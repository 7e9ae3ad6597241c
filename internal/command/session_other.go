//go:build !unix && !windows

package command

import "os/exec"

// isolate leaves the command as it is: its context kills the command alone.
func isolate(*exec.Cmd) {}

// killRest cannot find a command's descendants here.
func killRest(*exec.Cmd) {}
