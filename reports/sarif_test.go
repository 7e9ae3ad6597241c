package reports_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"testing"

	"mirror/reports"
)

// TestSARIFNamesItsToolAndRules holds what code scanning shows of a tool: its version, where to
// read of it, and a rule's name that is unique and in CamelCase.
func TestSARIFNamesItsToolAndRules(t *testing.T) {
	var doc struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Version        string
					InformationURI string `json:"informationUri"`
					Rules          []struct{ ID, Name string }
				}
			}
		}
	}
	text := encode(t, "sarif", reports.CheckOf(agreeing()), reports.Style{Version: "v1.2.3"})
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	driver := doc.Runs[0].Tool.Driver
	if driver.Version != "v1.2.3" {
		t.Errorf("the tool has the version %q", driver.Version)
	}
	if at, err := url.Parse(driver.InformationURI); err != nil || at.Scheme != "https" || at.Host == "" {
		t.Errorf("the tool has the address %q: %v", driver.InformationURI, err)
	}
	camelCase := regexp.MustCompile(`^([A-Z][a-z]+){2,}$`) // one word would be the ID again
	seen := map[string]bool{}
	for _, r := range driver.Rules {
		if !camelCase.MatchString(r.Name) || seen[r.Name] {
			t.Errorf("rule %s has the name %q", r.ID, r.Name)
		}
		seen[r.Name] = true
	}
}
