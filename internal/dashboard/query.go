package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// How much a page lists.
const (
	listed    = 50 // rows of a list
	shownDays = 30
)

// maxListed bounds how many rows one answer of the API has.
const maxListed = 500

var (
	errNotFound = errors.New("there is no such page")
	errQuery    = errors.New("the address makes no sense")
)

// paging reads where a list is to begin and how long it is to be.
func paging(r *http.Request) (before int64, limit int, err error) {
	if before, err = number(r, "before"); err != nil {
		return 0, 0, err
	}
	asked, err := number(r, "limit")
	if err != nil {
		return 0, 0, err
	}
	if asked == 0 {
		asked = listed
	}
	return before, int(min(asked, maxListed)), nil
}

// older is the address of the part of a list that follows rows, "" where these are the last.
func older[T any](r *http.Request, rows []T, limit int, key func(T) int64) string {
	if len(rows) < limit {
		return ""
	}
	query := url.Values{}
	for name, values := range r.URL.Query() {
		query[name] = values
	}
	query.Set("before", strconv.FormatInt(key(rows[limit-1]), 10))
	return r.URL.EscapedPath() + "?" + query.Encode()
}

// identity reads the number in a path.
func identity(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, errNotFound
	}
	return id, nil
}

// number reads a number of the query, 0 where it is not given.
func number(r *http.Request, key string) (int64, error) {
	text := r.URL.Query().Get(key)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: %s is no number", errQuery, key)
	}
	return n, nil
}
