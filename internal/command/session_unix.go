//go:build unix

package command

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// poll is how often it is looked whether a killed command's descendants are gone.
const poll = 10 * time.Millisecond

// isolate gives the command a session, and so a process group, of its own, and has the end of
// its context tell the whole group to end.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error {
		if syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) != nil {
			return os.ErrProcessDone
		}
		return nil
	}
}

// killRest waits until nothing of the command's group is left, and kills it after Grace.
func killRest(cmd *exec.Cmd) {
	if cmd.Process == nil {
		return // never started
	}
	group := -cmd.Process.Pid
	for end := time.Now().Add(Grace); time.Now().Before(end); time.Sleep(poll) {
		if syscall.Kill(group, syscall.SIGTERM) != nil {
			return
		}
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // gone is as well
}
