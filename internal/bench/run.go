// Package bench measures mirror and other programs that publish a site, side by side: each works on the same site
// and on a server of its own, in an order that changes from round to round. What a server holds afterwards is
// compared with the site, byte for byte. Requests and bytes are counted by a proxy, in a round whose times are not used.
package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Command is a line for sh.
type Command struct {
	Line string
	Dir  string
	Env  []string // further variables, as of os.Environ
}

// Cost is what a command took, with all processes that it waited for.
type Cost struct {
	Wall, CPU time.Duration
	// Memory is the resident set of the largest process at its peak, in bytes; 0 where the system does not say.
	Memory int64
}

// limit bounds one command.
const limit = 10 * time.Minute

// Run runs a command. Its error has what the command printed.
func Run(ctx context.Context, c Command) (Cost, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", c.Line)
	cmd.Dir, cmd.Env, cmd.WaitDelay = c.Dir, append(os.Environ(), c.Env...), time.Second
	forgetPeak()
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		return Cost{}, fmt.Errorf("%s: %w\n%s", c.Line, err, out)
	}
	state := cmd.ProcessState
	return Cost{Wall: took, CPU: state.UserTime() + state.SystemTime(), Memory: peak(state)}, nil
}
