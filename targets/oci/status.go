package oci

import (
	"errors"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

func isStatus(err error, status int) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == status
}

// refused reports whether the registry refused a manifest for what is in it, and not for who sent it or
// for when.
func refused(err error) bool {
	var answer *transport.Error
	if !errors.As(err, &answer) || answer.StatusCode/100 != 4 {
		return false
	}
	return !slices.Contains([]int{
		http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests,
	}, answer.StatusCode)
}
