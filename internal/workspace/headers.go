package workspace

import "mirror/targets"

// headersByTarget returns what the config says of the headers of each target's pages, as far as it says something.
func (w *Workspace) headersByTarget() (map[string]targets.HeaderFunc, error) {
	expected := map[string]targets.HeaderFunc{}
	for _, t := range w.Config.Targets {
		kind, _ := w.options.Kinds.Find(t.Type)
		if kind.ExpectedHeaders == nil {
			continue
		}
		header, err := kind.ExpectedHeaders(t.Decode)
		if err != nil {
			return nil, err
		}
		if header != nil {
			expected[t.Name] = header
		}
	}
	return expected, nil
}

// expectedHeaders returns what the config has an origin send as a header of a page. nil where
// it says nothing.
func (w *Workspace) expectedHeaders() (func(origin, path, name string) string, error) {
	expected, err := w.headersByTarget()
	if err != nil {
		return nil, err
	}
	if len(expected) == 0 {
		return nil, nil
	}
	return func(origin, path, name string) string {
		if header, ok := expected[origin]; ok {
			return header(path, name)
		}
		return ""
	}, nil
}
