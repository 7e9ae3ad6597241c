package bucket

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"

	"mirror/targets/s3/internal/provider"
)

// Service is what is known of the service: what the table of providers says, and what the
// service's own answers showed since. It is safe for concurrent use.
type Service struct {
	provider.Provider
	log *slog.Logger

	mu     sync.Mutex // guards what follows
	learnt map[provider.Feature]provider.Answer
}

// NewService returns what the table says. learnt, which may be nil, is what an earlier process
// found out about the features that the table leaves open.
func NewService(p provider.Provider, learnt map[provider.Feature]provider.Answer, log *slog.Logger) *Service {
	s := &Service{Provider: p, log: log, learnt: map[provider.Feature]provider.Answer{}}
	for f, a := range learnt {
		if p.Has(f) != provider.No && a != provider.Ask && (p.Has(f) == provider.Ask || a == provider.Yes) {
			s.learnt[f] = a
		}
	}
	return s
}

// Has says whether the service has a feature. What its answers showed counts more than the table.
func (s *Service) Has(f provider.Feature) provider.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.learnt[f]; ok {
		return a
	}
	return s.Provider.Has(f)
}

// Found reports whether the service's own answers showed that it has a feature, now or to an earlier process.
func (s *Service) Found(f provider.Feature) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.learnt[f] == provider.Yes
}

// Lacks reports whether the service is known not to have a feature.
func (s *Service) Lacks(f provider.Feature) bool { return s.Has(f) == provider.No }

// Learn remembers what an answer of the service showed.
func (s *Service) Learn(f provider.Feature, a provider.Answer, why error) {
	s.mu.Lock()
	before, known := s.learnt[f]
	s.learnt[f] = a
	s.mu.Unlock()
	if a == provider.No && (!known || before != provider.No) {
		s.log.Info("the service lacks "+string(f)+"; "+instead(f), "service", s.Title, "err", why)
	}
}

// Learnt returns what answers showed, for a later process.
func (s *Service) Learnt() map[provider.Feature]provider.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.learnt)
}

// instead says what is done where a feature is lacking.
func instead(f provider.Feature) string {
	switch f {
	case provider.Checksums:
		return "Content-MD5 is sent instead"
	case provider.Copy:
		return "objects are read and written again, which makes a commit slower"
	case provider.ListV2:
		return "the first version of the listing is used"
	case provider.BulkDelete:
		return "objects are deleted one by one"
	case provider.ObjectACLs:
		return "no ACL is sent"
	}
	return "requests go without"
}

// try makes a request with a feature, unless the service is known to lack it, and once more without
// the feature where the service refuses it. The feature counts as lacking when only the second
// request succeeds.
func (s *Service) try(f provider.Feature, request func(with bool) error) error {
	if s.Lacks(f) {
		return request(false)
	}
	err := request(true)
	if !IsRefusal(err) {
		return err
	}
	if again := request(false); again != nil {
		return again
	}
	s.Learn(f, provider.No, err)
	return nil
}

// IsRefusal reports whether an error may be a service's answer to a request, or a header, that it
// does not know.
func IsRefusal(err error) bool {
	switch Status(err) {
	case http.StatusNotImplemented:
		return true
	case http.StatusBadRequest, http.StatusMethodNotAllowed:
		return slices.Contains([]string{"", "AccessControlListNotSupported", "BadRequest", "InvalidArgument", "InvalidRequest", "MethodNotAllowed", "NotImplemented", "NotSupported", "XNotImplemented",
			"UnsupportedArgument", "UnsupportedHeader", "UnsupportedOperation"}, code(err))
	}
	return false
}
