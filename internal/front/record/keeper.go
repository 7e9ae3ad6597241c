package record

import (
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"mirror/site"
)

// Keeper replaces the record in a file. A release that may be kept soon can be written before, so that the replacement
// takes no longer for a large release than for a small one. It is safe for concurrent use.
type Keeper struct {
	name string

	mu       sync.Mutex // guards what follows, and the files
	prepared site.Beacon
	ready    time.Time     // when the latest preparation ended
	took     time.Duration // the latest preparation
}

// NewKeeper returns a keeper of the record in a file.
func NewKeeper(name string) *Keeper { return &Keeper{name: name} }

// next is where a record is prepared.
func (k *Keeper) next() string { return k.name + ".next" }

// rest is how many times as long as a preparation took no other release is prepared: origins that claim one release
// after another must not have the disk written to all the time.
const rest = 20

// Prepare writes the record of a release that may be kept soon, in place of the one that was prepared before. It does
// nothing shortly after another preparation.
func (k *Keeper) Prepare(r Release) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.prepared.Release == r.Release || time.Since(k.ready) < rest*k.took {
		return nil
	}
	k.prepared = site.Beacon{}
	began := time.Now()
	err := Write(k.next(), r)
	k.ready = time.Now()
	k.took = k.ready.Sub(began)
	if err == nil {
		k.prepared = r.Beacon
	}
	return err
}

// Keep replaces the record. One that was prepared gets its beacon and its name; any other one is written.
func (k *Keeper) Keep(r Release) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	prepared := k.prepared
	k.prepared = site.Beacon{}
	if prepared.Release == r.Release && k.use(prepared, r.Beacon) == nil {
		return nil
	}
	return Write(k.name, r)
}

// use gives the prepared record its name, with another beacon where it was prepared with one of another place in the order.
func (k *Keeper) use(prepared, b site.Beacon) error {
	if prepared != b {
		if err := replaceBeacon(k.next(), b); err != nil {
			return err
		}
	}
	return os.Rename(k.next(), k.name)
}

// beaconSize is how long the line with the beacon is, in bytes: spaces fill it, so that it can be replaced.
const beaconSize = 512

func beaconLine(b site.Beacon) ([]byte, error) {
	line, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	for len(line) < beaconSize-1 {
		line = append(line, ' ')
	}
	return append(line, '\n'), nil
}

// replaceBeacon replaces the first line of a record that Write wrote.
func replaceBeacon(name string, b site.Beacon) error {
	line, err := beaconLine(b)
	if err != nil || len(line) != beaconSize {
		return errors.Join(err, errOther)
	}
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(line, 0)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
