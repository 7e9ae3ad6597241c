package broker

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/internal/vantage"
)

// Place is a place that may send an agent, or has.
type Place struct {
	Name     string
	Key      string        `json:",omitempty"` // the agent's public key, "" before it has enrolled
	Token    string        `json:",omitempty"` // SHA-256 of the token that it enrols with, hexadecimal; "" afterwards
	Expires  time.Time     `json:",omitzero"`  // of the token
	Pins     []vantage.Pin `json:",omitempty"` // origins that the line for the agent named
	Enrolled time.Time     `json:",omitzero"`
}

// TokenValid is for how long a token enrols an agent.
const TokenValid = time.Hour

// registry is the file of the places. Several processes change it: each change is made under a lock.
type registry struct {
	file string
	now  func() time.Time

	mu    sync.Mutex
	stamp fileStamp
	known []Place
}

type fileStamp struct {
	size int64
	when time.Time
}

// maxRegistry bounds the file of the places, in bytes, and maxPlaces how many there are.
const (
	maxRegistry = 4 << 20
	maxPlaces   = 1000
)

func newRegistry(dir string) *registry {
	return &registry{file: filepath.Join(dir, "places.json"), now: time.Now}
}

// places lists the places. The file is read again when it has changed.
func (r *registry) places() ([]Place, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	info, err := os.Stat(r.file)
	if errors.Is(err, fs.ErrNotExist) {
		r.known, r.stamp = nil, fileStamp{}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if stamp := (fileStamp{info.Size(), info.ModTime()}); stamp != r.stamp {
		all, err := r.read()
		if err != nil {
			return nil, err
		}
		r.known, r.stamp = all, stamp
	}
	return slices.Clone(r.known), nil
}

func (r *registry) read() ([]Place, error) {
	text, err := regular.ReadFile(r.file, maxRegistry)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Place
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", r.file, err)
	}
	return all, nil
}

// change changes the places, one process at a time.
func (r *registry) change(do func(all []Place) ([]Place, error)) error {
	if err := os.MkdirAll(filepath.Dir(r.file), 0o700); err != nil {
		return err
	}
	lock := flock.New(r.file+".lock", flock.SetFlag(regular.LockFlags))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer lock.Close()
	all, err := r.read()
	if err != nil {
		return err
	}
	if all, err = do(all); err != nil {
		return err
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(r.file, append(text, '\n'), 0o600); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stamp = fileStamp{}
	return nil
}

// invite makes a token for a place. A place that has an agent keeps it until the token is used.
func (r *registry) invite(name string, pins []vantage.Pin) (token string, err error) {
	if err := vantage.ValidPlace(name); err != nil {
		return "", err
	}
	token = strings.ToLower(rand.Text())
	return token, r.change(func(all []Place) ([]Place, error) {
		i := slices.IndexFunc(all, func(p Place) bool { return p.Name == name })
		if i < 0 {
			if len(all) >= maxPlaces {
				return nil, fmt.Errorf("there are %d places already", len(all))
			}
			all, i = append(all, Place{Name: name}), len(all)
		}
		all[i].Token, all[i].Expires, all[i].Pins = hashed(token), r.now().Add(TokenValid), pins
		return all, nil
	})
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// errToken says that an agent cannot enrol with a token.
var errToken = errors.New("the token is not valid: it was used, has expired, or was never made")

// enrol gives the place of a token to an agent. A token works once; the same agent may repeat it.
func (r *registry) enrol(key, token string) (place string, err error) {
	err = r.change(func(all []Place) ([]Place, error) {
		for i, p := range all {
			if p.Key == key {
				place = p.Name
				return all, nil
			}
			if p.Token == "" || subtle.ConstantTimeCompare([]byte(p.Token), []byte(hashed(token))) == 0 || r.now().After(p.Expires) {
				continue
			}
			place = p.Name
			all[i].Key, all[i].Token, all[i].Expires, all[i].Enrolled = key, "", time.Time{}, r.now().UTC()
			return all, nil
		}
		return nil, errToken
	})
	return place, err
}

// remove forgets a place; its agent can do nothing more.
func (r *registry) remove(name string) error {
	return r.change(func(all []Place) ([]Place, error) {
		i := slices.IndexFunc(all, func(p Place) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no place %q", name)
		}
		return slices.Delete(all, i, i+1), nil
	})
}

// of returns the place of an agent's key.
func (r *registry) of(key string) (string, bool) {
	all, err := r.places()
	if err != nil {
		return "", false
	}
	for _, p := range all {
		if p.Key == key && key != "" {
			return p.Name, true
		}
	}
	return "", false
}
