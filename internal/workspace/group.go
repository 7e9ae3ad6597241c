package workspace

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"mirror/internal/vantage/broker"
	"mirror/internal/vantage/group"
)

// JoinGroup has the daemon share its work with the others of vantages.group, over the connection of the places; nil
// where the config names no group. Close it after use.
func (w *Workspace) JoinGroup(ctx context.Context, places Places, log *slog.Logger) (*group.Member, error) {
	name := w.Config.Vantages.Group
	a, ok := places.(agents)
	if name == "" || !ok {
		return nil, nil
	}
	owner, err := w.State.Owner()
	if err != nil {
		return nil, err // under another name after each start, the broker would keep records for each of them
	}
	host, err := os.Hostname()
	if err != nil {
		host = owner
	}
	return group.Join(ctx, group.Options{JetStream: a.hub.JetStream(), Replicas: broker.Replicated, Name: name, Owner: owner, Host: fmt.Sprintf("%s (%.8s)", host, owner), Log: log})
}
