package targets

import (
	"errors"
	"fmt"
)

// Validator is the config struct of a kind that refuses values which its tags cannot tell from right
// ones. The config calls it when mirror.yaml is read, so that every wrong value is reported in one
// run with its place in the file.
type Validator interface {
	// Validate calls wrong for every wrong value. It reads nothing outside the struct: no file, no
	// environment, no network. Keys that are required and missing are reported without it.
	Validate(wrong Wrong)
}

// Wrong reports a wrong value: its key, such as headers[1].match, and what completes a sentence that
// begins with the value: `is not a glob (hint: …)`. why quotes nothing of the value, which may come
// from the environment and be a secret.
type Wrong func(key, why string)

// Validate returns all that is wrong with a config that was not read from a file, as one error.
func Validate(c Validator) error {
	var errs []error
	c.Validate(func(key, why string) { errs = append(errs, fmt.Errorf("%s: %s", key, why)) })
	return errors.Join(errs...)
}
