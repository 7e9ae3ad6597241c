package workspace

import (
	"mirror/internal/vantage/broker"
	"mirror/reports"
)

// AgentsDocument lists the places, with what is known of each.
func (w *Workspace) AgentsDocument() (reports.Agents, error) {
	all, err := broker.Places(w.placesDir())
	doc := reports.Agents{Schema: reports.AgentsSchema, Places: []reports.AgentPlace{}}
	for _, p := range all {
		place := reports.AgentPlace{Name: p.Name, Origins: []string{}}
		if p.Key != "" {
			place.Enrolled = &p.Enrolled
		}
		if p.Token != "" {
			place.Expires = &p.Expires
		}
		for _, pin := range p.Pins {
			place.Origins = append(place.Origins, pin.String())
		}
		doc.Places = append(doc.Places, place)
	}
	return doc, err
}

// InviteDocument makes a place for an agent, and says how its agent enrols.
func (w *Workspace) InviteDocument(place string) (reports.Agents, error) {
	line, err := w.Invite(place)
	if err != nil {
		return reports.Agents{}, err
	}
	doc, err := w.AgentsDocument()
	doc.Command = line
	for _, p := range doc.Places {
		if p.Name == place {
			doc.Places = []reports.AgentPlace{p}
			break
		}
	}
	return doc, err
}
