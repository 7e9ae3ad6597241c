package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"mirror/internal/netname"
	"mirror/internal/regular"
)

const maxCAFile = 8 << 20 // bytes

// transportFor is the transport to a server as git's settings have it: http.proxy and
// http.sslCAInfo, or GIT_SSL_CAINFO, whose certificates are trusted beside the system's.
func transportFor(base *url.URL, o Options) (*http.Transport, error) {
	rt := ownTransport(silence)
	getenv := o.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	authorities := getenv("GIT_SSL_CAINFO")
	if o.Git != nil {
		if err := setProxy(rt, o.Git.Last("http", "proxy", base), getenv, o.Secret); err != nil {
			return nil, err
		}
		if authorities == "" {
			authorities = o.Git.Last("http", "sslCAInfo", base)
		}
	}
	return rt, setAuthorities(rt, authorities)
}

// setProxy has the requests go through a proxy, but for the hosts in NO_PROXY.
func setProxy(rt *http.Transport, proxy string, getenv func(string) string, secret func(source, value string)) error {
	if proxy == "" {
		return nil
	}
	if !strings.Contains(proxy, "://") {
		proxy = "http://" + proxy
	}
	u, err := url.Parse(proxy)
	if err != nil {
		return errors.New("http.proxy of git's settings is not a URL") // its text may hold a password
	}
	if password, _ := u.User.Password(); password != "" && secret != nil {
		secret("http.proxy", password)
	}
	except := getenv("no_proxy")
	if except == "" {
		except = getenv("NO_PROXY")
	}
	find := (&httpproxy.Config{HTTPProxy: proxy, HTTPSProxy: proxy, NoProxy: except}).ProxyFunc()
	rt.Proxy = func(r *http.Request) (*url.URL, error) {
		if netname.IsLoopback(r.URL.Hostname()) {
			return nil, nil //nolint:nilnil // no proxy
		}
		return find(r.URL)
	}
	return nil
}

func setAuthorities(rt *http.Transport, file string) error {
	if file == "" {
		return nil
	}
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			file = filepath.Join(home, rest)
		}
	}
	text, err := regular.ReadFile(file, maxCAFile)
	if err != nil {
		return fmt.Errorf("http.sslCAInfo of git's settings: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return fmt.Errorf("http.sslCAInfo of git's settings: %s holds no certificate", file)
	}
	rt.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return nil
}
