package output

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mirror/internal/secrets"
	"mirror/reports"
)

// ValidatePlanFile says what is wrong with the name of a file for WritePlan; "" is for none.
func ValidatePlanFile(name string) error {
	if name == "" {
		return nil
	}
	if name == "-" {
		return errors.New("--out -: a plan is written to a file (hint: --json prints it on stdout)")
	}
	if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
		return fmt.Errorf("--out %s: there is no folder %s", name, filepath.Dir(name))
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return fmt.Errorf("--out %s is a folder", name)
	}
	return nil
}

// WritePlan writes a plan to a file, whole or not at all.
func WritePlan(name string, p reports.Plan, known *secrets.Scrubber) error {
	var b bytes.Buffer
	if err := reports.JSON(&b, p); err != nil {
		return err
	}
	if err := replace(name, known.Bytes(b.Bytes())); err != nil {
		return fmt.Errorf("--out %s: %w", name, err)
	}
	return nil
}
