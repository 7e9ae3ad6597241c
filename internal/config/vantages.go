package config

import (
	"net/url"
	"time"
)

// Vantages says how agents are reached and what they do.
type Vantages struct {
	// Listen is the address at which the daemon's own NATS server waits for agents. Beyond this machine it
	// uses TLS. Without it, and without nats, there are no agents.
	Listen string `yaml:"listen" jsonschema:"format=address" example:"127.0.0.1:4222"`
	// Address is the host, with or without a port, under which agents reach that server, where it is not the
	// one to listen on.
	Address string `yaml:"address" jsonschema:"format=host" example:"mirror.example.com:4222"`
	// NATS is the URL of a NATS server or cluster with JetStream that is used in place of the daemon's own.
	NATS string `yaml:"nats" jsonschema:"format=nats" example:"tls://nats.example.com:4222"`
	// Credentials is the file with the credentials for nats.
	Credentials string `yaml:"credentials" jsonschema:"format=path" example:"./daemon.creds"`
	// Group names the daemons with this site on that cluster that share the work: one of them leads, which runs the schedule and
	// sends alerts, and another one takes over when it fails. Without it this daemon works alone.
	Group string `yaml:"group" jsonschema:"format=group" example:"blog"`
	// Mode is who looks at a page: each (every agent, and this machine) or spread (the agents share the pages).
	Mode string `yaml:"mode" jsonschema:"default=each,enum=each,enum=spread" example:"each"`
	// Quorum is how many places must see a difference before it counts. What fewer see is reported as tolerated.
	Quorum int `yaml:"quorum" jsonschema:"default=1,minimum=1" example:"2"`
	// Barrier is how many places must have seen an origin live before the barrier of a publish goes on, this machine
	// among them. With 1 it is this machine alone. With more, every publish uses the agents.
	Barrier int `yaml:"barrier" jsonschema:"default=1,minimum=1" example:"3"`
	// Timeout is how long the agents may take for one check. What is missing by then is named in the report.
	Timeout time.Duration `yaml:"timeout" jsonschema:"default=5m" example:"5m"`
	// Globalping has public probes read the beacon of each origin in mirror check --places.
	Globalping Globalping `yaml:"globalping"`
}

// Globalping says which public probes are asked. See docs/vantages.md.
type Globalping struct {
	// Places lists where: a city, a country, a region or a network, as Globalping names them, and several joined with +.
	Places []string `yaml:"places" example:"[Frankfurt, Tokyo, aws-us-east-1]"`
	// TokenEnv names the environment variable with the API token. Without it the limits are those of this machine's address.
	TokenEnv string `yaml:"token_env" example:"GLOBALPING_TOKEN"`
	// API is the base URL of the API, where it is another than the usual one.
	API *url.URL `yaml:"api" jsonschema:"default=https://api.globalping.io/" example:"https://api.globalping.io/"`
}

// On reports whether there may be agents.
func (v Vantages) On() bool { return v.Listen != "" || v.NATS != "" }
