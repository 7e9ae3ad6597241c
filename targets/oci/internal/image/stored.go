package image

import (
	"errors"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Stored is a layer that a registry holds: an image names it, and its bytes do not travel.
type Stored struct{ Info Info }

var errStored = errors.New("the layer lies in the registry")

// Digest returns the hash of the compressed bytes.
func (s Stored) Digest() (v1.Hash, error) { return s.Info.Digest, nil }

// DiffID returns the hash of the tar stream.
func (s Stored) DiffID() (v1.Hash, error) { return s.Info.DiffID, nil }

// Size returns the number of compressed bytes.
func (s Stored) Size() (int64, error) { return s.Info.Size, nil }

// MediaType returns the layer's type.
func (s Stored) MediaType() (types.MediaType, error) { return s.Info.MediaType, nil }

// Compressed gives an error: the bytes are not here.
func (s Stored) Compressed() (io.ReadCloser, error) { return nil, errStored }

// Uncompressed gives an error: the bytes are not here.
func (s Stored) Uncompressed() (io.ReadCloser, error) { return nil, errStored }
