package diff

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

func unjudged(a Answer) string {
	if a.Err != nil {
		return a.Err.Error()
	}
	if a.Removed != nil && IsRefusal(a.Status) {
		return fmt.Sprintf("answered %d, which does not tell whether the page is there (%s)", a.Status, a.Removed.Absence)
	}
	return fmt.Sprintf("answered %d", a.Status)
}

// outvoted says how an answer differs from the reference, on which so many of the voters agree.
func outvoted(d Difference, path string, a, reference Answer, agree, voters int) Difference {
	d.Kind = kindBeside(path, a, reference)
	d.Detail = fmt.Sprintf("%s; %d of %d origins %s", says(d.Kind, a), agree, voters, does(d.Kind, a, reference))
	return d
}

// kindBeside names the drift of an answer beside another.
func kindBeside(path string, a, reference Answer) Kind {
	switch {
	case a.stands() == noPage:
		return Missing
	case a.stands() == moved, a.Target != "" && a.Target != reference.Target:
		return Redirected
	case reference.stands() == noPage:
		return Extra
	case reference.stands() == served && a.Status == reference.Status && a.Target == reference.Target && sameBytes(a, reference) &&
		a.rendering(path) != reference.rendering(path):
		return Mistyped
	}
	return Altered
}

func says(kind Kind, a Answer) string {
	switch {
	case kind == Mistyped && a.Attached:
		return "sent as a download (Content-Disposition: attachment)"
	case kind == Mistyped:
		return "Content-Type " + cmp.Or(a.Type, "none")
	case kind == Redirected && a.Away:
		return a.turned() + ", away to the host " + HostOf(a.Target)
	case kind == Redirected:
		return a.turned()
	case a.stands() != served || a.Status != http.StatusOK:
		return fmt.Sprintf("answered %d", a.Status)
	case kind == Extra:
		return "served"
	}
	return fmt.Sprintf("%d bytes", a.Size)
}

// turned says by what an answer leads elsewhere.
func (a Answer) turned() string {
	if a.stands() == moved {
		return fmt.Sprintf("answered %d", a.Status)
	}
	return "leads on by a Refresh header"
}

func does(kind Kind, a, reference Answer) string {
	switch {
	case reference.stands() == noPage:
		return "say that there is no such page"
	case reference.stands() == moved, reference.Target != "":
		return "lead to " + reference.Target
	case kind == Mistyped && reference.Attached:
		return "send it as a download"
	case kind == Mistyped && a.Attached && a.Type == reference.Type:
		return "show it"
	case kind == Mistyped:
		return "say " + cmp.Or(reference.Type, "none")
	case kind == Altered && a.Size == reference.Size:
		return "serve others"
	case kind == Altered:
		return fmt.Sprintf("serve %d", reference.Size)
	}
	return "serve it"
}

// tied says from which origins the i-th answer differs, and calls none of them right.
func tied(d Difference, answers []Answer, groups []int, i int, path string) Difference {
	var like, unlike []string
	first := -1
	for j, other := range answers {
		switch {
		case j == i || groups[j] < 0:
		case groups[j] == groups[i]:
			like = append(like, other.Origin)
		default:
			unlike = append(unlike, other.Origin)
			if first < 0 {
				first = j
			}
		}
	}
	d.Kind = kindBeside(path, answers[i], answers[first])
	d.Detail = "tie: "
	if len(like) > 0 {
		d.Detail += "like " + and(like) + ", "
	}
	d.Detail += fmt.Sprintf("differs from %s (%s)", and(unlike), says(d.Kind, answers[i]))
	return d
}

func and(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
