package oci

import (
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mirror/site"
	"mirror/targets"
)

// head is what a tag or digest names: nil where it names nothing.
type head struct {
	desc   *remote.Descriptor
	labels map[string]string // of an image that is ours and unaltered, else nil
}

// live returns what the contract calls it.
func (h *head) live() targets.Live {
	if h == nil {
		return targets.Live{}
	}
	return targets.Live{Release: h.release(), Revision: h.digest()}
}

func (h *head) digest() string {
	if h == nil {
		return ""
	}
	return h.desc.Digest.String()
}

// release returns the release that the image holds.
func (h *head) release() site.ID {
	if h == nil {
		return site.None
	}
	id, err := site.ParseID(h.labels[labelRelease])
	if err != nil {
		return site.None
	}
	return id
}

func (h *head) manifest() manifest { return manifest{h.desc.Manifest, h.desc.MediaType} }

// headOf is what a tag names under which an image was put.
func headOf(img manifest, labels map[string]string) (*head, error) {
	digest, size, err := v1.SHA256(img.reader())
	if err != nil {
		return nil, err
	}
	return &head{&remote.Descriptor{
		Descriptor: v1.Descriptor{Digest: digest, Size: size, MediaType: img.mediaType}, Manifest: img.raw,
	}, labels}, nil
}

// sequence returns that of the image's beacon, 0 where there is none.
func (h *head) sequence() int64 {
	if h == nil {
		return 0
	}
	n, err := strconv.ParseInt(h.labels[labelSequence], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
