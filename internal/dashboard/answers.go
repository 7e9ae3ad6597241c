package dashboard

import (
	"bytes"
	"io"
	"mirror/reports"
	"net/http"
	"strconv"
	"time"
)

// refusal is the document of what is not done.
type refusal struct {
	Error string `json:"error"`
}

// answer answers with JSON that holds only our own words.
func answer(w http.ResponseWriter, status int, doc any) {
	answerWith(w, status, doc, func(text []byte) []byte { return text })
}

func answerWith(w http.ResponseWriter, status int, doc any, scrub func([]byte) []byte) {
	var b bytes.Buffer
	if err := reports.JSON(&b, doc); err != nil {
		http.Error(w, "no JSON could be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(scrub(b.Bytes())) // the reader may have gone
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	answer(w, http.StatusTooManyRequests, refusal{"That is too often."})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the reader may have gone
}
