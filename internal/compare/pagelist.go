package compare

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"strings"

	"mirror/internal/origin"
	"mirror/internal/origin/pages"
)

// ReadNames reads the names of pages, one a line, as in a URL: percent-encoded, with or without
// the slash at the start, or a whole URL below one of the origins, by http or https. It
// returns the decoded paths, and how many lines were left out for their query.
func ReadNames(in io.Reader, origins []origin.Endpoint) (paths []string, queries int, err error) {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		path, query, err := readName(line, basesOf(origins))
		switch {
		case err != nil:
			return nil, 0, fmt.Errorf("line %d: %q %w", n, line, err)
		case query:
			queries++
		default:
			paths = append(paths, path)
		}
	}
	return paths, queries, lines.Err()
}

// readName reads one name. What it refers to within the page is dropped.
func readName(line string, bases []*url.URL) (path string, query bool, err error) {
	if isWhole(line) {
		return readURL(line, bases)
	}
	line, _, _ = strings.Cut(line, "#")
	line, _, query = strings.Cut(line, "?")
	path, err = url.PathUnescape(strings.TrimPrefix(line, "/"))
	if err != nil || !pages.IsPath(path) || strings.Contains(strings.ToLower(line), "%2f") {
		return "", false, fmt.Errorf("is no path below the sites (hint: about/, or 50%%25.html for 50%%.html)")
	}
	return path, query, nil
}

// isWhole reports whether a name begins with a scheme and a host, or with a host.
func isWhole(line string) bool {
	scheme, _, ok := strings.Cut(line, "//")
	return ok && (scheme == "" || strings.HasSuffix(scheme, ":") && !strings.Contains(scheme, "/"))
}

func readURL(line string, bases []*url.URL) (path string, query bool, err error) {
	u, err := url.Parse(line)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "" {
		return "", false, fmt.Errorf("is not the URL of a page")
	}
	path, query, ok := pages.PathBelow(bases, u)
	if !ok {
		return "", false, fmt.Errorf("is below none of the sites (hint: name the path alone, as in about/)")
	}
	return path, query, nil
}
