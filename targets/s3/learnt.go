package s3

import (
	"encoding/json"
	"path/filepath"
	"time"

	"mirror/internal/regular"
	"mirror/targets/s3/internal/provider"
)

// learnt is what an earlier process found out about a service, in the state folder. Losing it costs a
// few requests.
type learnt struct {
	Service string                               `json:"service"` // where it was found out
	At      time.Time                            `json:"at"`
	Has     map[provider.Feature]provider.Answer `json:"has"`
}

// believed is how long what was found out is believed: a service may be updated.
const believed = 30 * 24 * time.Hour

const maxLearnt = 1 << 16 // bytes

// kept are the features that depend on the service alone, and not on the bucket's settings or the
// rights of the keys.
func kept() []provider.Feature {
	return []provider.Feature{provider.Checksums, provider.Conditions, provider.Copy, provider.ListV2, provider.BulkDelete}
}

func learntFile(state string) string { return filepath.Join(state, "service.json") }

// String identifies the service for which something was learnt.
func (w location) String() string { return w.Name + " " + w.endpoint + " " + w.region }

// loadLearnt reads what was found out, nil for nothing.
func loadLearnt(state string, where location) map[provider.Feature]provider.Answer {
	if state == "" {
		return nil
	}
	text, err := regular.ReadFile(learntFile(state), maxLearnt)
	var l learnt
	if err != nil || json.Unmarshal(text, &l) != nil || l.Service != where.String() || time.Since(l.At) > believed || time.Until(l.At) > time.Hour {
		return nil
	}
	return l.Has
}
