package ssh

import (
	"mirror/targets"
	"mirror/targets/ssh/internal/remote"
)

// Over returns a target in a folder of a host that was reached in another way.
func Over(host *remote.Host, folder string, env targets.Env, c Config) (*Target, error) {
	return over(host, folder, env, c)
}

// Silence ends the renewals of a reservation.
func Silence(r targets.Reservation) { r.(*reservation).keeper.Stop() }
