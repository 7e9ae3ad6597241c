package accesslog_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"mirror/internal/front/accesslog"
)

func answered(t *testing.T, format accesslog.Format, uri string) string {
	t.Helper()
	var out bytes.Buffer
	h := accesslog.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "lost")
	}), &out, format)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RequestURI, r.RemoteAddr = uri, "203.0.113.7:1234"
	r.Header.Set("User-Agent", "a\"b")
	h.ServeHTTP(httptest.NewRecorder(), r)
	return out.String()
}

func TestCommon(t *testing.T) {
	want := regexp.MustCompile(`^203\.0\.113\.7 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /a\\"b\\n HTTP/1\.1" 404 4\n$`)
	if got := answered(t, accesslog.Common, "/a\"b\n"); !want.MatchString(got) {
		t.Errorf("the line is %q", got)
	}
}

func TestJSON(t *testing.T) {
	line := answered(t, accesslog.JSON, "/a")
	var got struct {
		Remote, URI string
		Status      int
		Bytes       int64
		Agent       string `json:"user_agent"`
	}
	if err := json.Unmarshal([]byte(line), &got); err != nil || got.Remote != "203.0.113.7" || got.URI != "/a" || got.Status != 404 || got.Bytes != 4 || got.Agent != `a"b` {
		t.Errorf("the line is %q (%+v, %v)", line, got, err)
	}
}
