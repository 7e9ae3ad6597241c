package secrets

import (
	"regexp"
	"strings"
)

// secretVariable matches the names of variables that hold secrets, for any program:
// the build and other commands inherit them and may print them.
var secretVariable = regexp.MustCompile(`(?i)(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|API_?KEY|ACCESS_KEY|ACCESS_KEY_ID|SECRET_KEY|PRIVATE_KEY)$`)

// AddEnvironment makes known the secrets that the environment holds, and the passwords of
// proxies. environ holds NAME=value pairs, as os.Environ gives them.
func (s *Scrubber) AddEnvironment(environ []string, getenv func(string) string) {
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		value := getenv(name)
		if secretVariable.MatchString(name) && !strings.HasPrefix(value, "/") {
			s.Add("the environment variable "+name, value)
		}
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		s.AddUserinfo(name, getenv(name))
		s.AddUserinfo(name, getenv(strings.ToLower(name)))
	}
}

// AddArguments makes known the passwords in the URLs of a command line.
func (s *Scrubber) AddArguments(args []string) {
	for _, arg := range args {
		if at := strings.Index(arg, "://"); at >= 0 {
			s.AddUserinfo("the command line", arg[strings.LastIndexByte(arg[:at], '=')+1:])
		}
	}
}
