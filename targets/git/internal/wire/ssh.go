package wire

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"

	"mirror/internal/command"
	"mirror/internal/sshclient"
)

// sshRemote runs git's services at the other end of an ssh connection.
type sshRemote struct {
	dialer sshclient.Dialer
	host   sshclient.Host
	path   string
}

func newSSHRemote(place *transport.Endpoint, o Options) (*sshRemote, error) {
	r := &sshRemote{path: place.Path, host: sshclient.Host{
		Name: strings.Trim(place.Host, "[]"), User: place.User, Port: place.Port, Password: place.Password,
	}}
	options := sshclient.Options{Key: o.SSHKey, KnownHosts: o.KnownHosts, Getenv: o.Getenv}
	if o.Git != nil {
		options.Setting = o.Git.Get
	}
	var err error
	r.dialer, err = sshclient.New(r.host, options)
	return r, err
}

func (r *sshRemote) dial(ctx context.Context, s Service) (conversation, error) {
	stderr := &command.Words{}
	p, err := r.dialer.Run(ctx, string(s)+" "+sshclient.Quote(r.path), stderr)
	if err != nil {
		return nil, fmt.Errorf("%s%w", r.label(), err)
	}
	return newStream(ctx, program{
		label: r.label(), in: p.In, out: p.Out, kill: p.Kill, wait: p.Wait,
		hint: func(said string) string { return r.dialer.Hint(ctx, said) },
	}, stderr, silence), nil
}

func (r *sshRemote) label() string { return "ssh to " + r.host.String() + ": " }
