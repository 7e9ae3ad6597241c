package dir

import "fmt"

// turn makes the link current lead elsewhere, in one step.
func (p *place) turn(to string) error {
	const made = current + partial
	err := p.root.RemoveAll(made)
	if err == nil {
		err = p.root.Symlink(to, made)
	}
	if err == nil {
		err = p.root.Rename(made, current)
	}
	if err != nil {
		return fmt.Errorf("dir: turn %s: %w", current, err)
	}
	return syncFolder(p.root, ".")
}

func (p *place) clear() error {
	if err := p.root.Remove(current); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return syncFolder(p.root, ".")
}
