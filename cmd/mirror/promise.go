package main

import "mirror/targets/s3"

// promised returns what the config has an origin send as a header of a page: the rules of a
// bucket. nil where it says nothing.
func (w *workspace) promised() (func(origin, path, name string) string, error) {
	buckets := map[string]s3.Config{}
	for _, t := range w.config.Targets {
		if t.Type != "s3" {
			continue
		}
		var c s3.Config
		if err := t.Decode(&c); err != nil {
			return nil, err
		}
		if len(c.Headers) > 0 {
			buckets[t.Name] = c
		}
	}
	if len(buckets) == 0 {
		return nil, nil
	}
	return func(origin, path, name string) string {
		c, ok := buckets[origin]
		if !ok {
			return ""
		}
		return c.Header(path, name)
	}, nil
}
