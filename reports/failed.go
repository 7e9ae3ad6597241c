package reports

import (
	"time"

	"mirror/diff"
)

// Failed is the document of a command, named as in "mirror publish", that ended before it had
// anything to report; nil for a command that has no document.
func Failed(command string, e Ending) any {
	switch command {
	case "mirror publish":
		return Publish{Schema: PublishSchema, Outcome: "failed", Targets: []PublishTarget{}, Ending: e}
	case "mirror rollback":
		return Publish{Schema: PublishSchema, Outcome: "failed", Rollback: true, Targets: []PublishTarget{}, Ending: e}
	case "mirror plan":
		return Plan{Schema: PlanSchema, Targets: []PlanTarget{}, Order: []PlanStep{}, Ending: e}
	case "mirror diff":
		return Diff{Schema: DiffSchema, Changes: []DiffChange{}, Origins: []DiffOrigin{}, Ending: e}
	case "mirror check":
		doc := CheckOf(diff.Verdict{Started: time.Now()})
		doc.Agree, doc.Alike, doc.Ending = false, false, e
		return doc
	case "mirror watch":
		doc := WindowOf(diff.Window{})
		doc.Ending = e
		return doc
	case "mirror report":
		return Period{Schema: "mirror.report/v1", Ending: e}
	case "mirror history":
		return History{Schema: "mirror.history/v1", Ending: e}
	case "mirror demo":
		return Demo{Schema: DemoSchema, Steps: []DemoStep{}, Publish: []Publish{}, Check: []Check{}, Ending: e}
	case "mirror notify test":
		return NotifyTest{Schema: NotifySchema, Results: []NotifyResult{}, Ending: e}
	}
	return nil
}
