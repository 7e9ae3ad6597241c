package notify

import "time"

// Schema names the form of what webhooks get. Fields may be added to it, and none goes.
const Schema = "mirror.event/v1"

// Document is the body that webhooks get.
type Document struct {
	Schema string    `json:"schema"`
	ID     string    `json:"id"`   // the same when the same is sent again
	Sent   time.Time `json:"sent"` // by the sender's clock
	Title  string    `json:"title"`
	Text   string    `json:"text"`
	Events []Entry   `json:"events"`
}

// Entry is one event of a Document. Its texts are as they came, at most from an origin:
// the code that shows them escapes them.
type Entry struct {
	Episode  string         `json:"episode"`
	Kind     Kind           `json:"kind"`
	Change   Change         `json:"change"`
	Open     bool           `json:"open"` // whether the episode lasts
	Severity Severity       `json:"severity"`
	Origin   string         `json:"origin"`
	Title    string         `json:"title"`
	Lines    []string       `json:"lines"`
	Counts   map[string]int `json:"counts"`
	Paths    []string       `json:"paths"`
	Opened   time.Time      `json:"opened"`
	Closed   *time.Time     `json:"closed"` // null while it lasts
	LastedMS float64        `json:"lasted_ms"`
	Changes  int            `json:"changes"` // while it was flapping, for what has settled
	URL      string         `json:"url"`
}

// document puts a message into the form that webhooks get.
func document(m Message) Document {
	d := Document{Schema: Schema, ID: m.ID, Sent: m.At, Title: m.Title, Text: m.Text}
	for _, n := range m.News {
		e := n.Event
		entry := Entry{Episode: e.Episode, Kind: e.Kind, Change: n.Change, Open: !e.closes(), Severity: e.Severity, Origin: e.Origin,
			Title: e.Title, Lines: e.Lines, Counts: e.Counts, Paths: e.Paths, Opened: e.Opened,
			LastedMS: float64(e.lasted(m.At)) / float64(time.Millisecond), Changes: n.Changes, URL: e.URL}
		if e.closes() {
			entry.Closed = &e.Closed
		}
		d.Events = append(d.Events, entry)
	}
	return d
}
