package s3

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"mirror/internal/atomicfile"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/provider"
)

// saveLearnt writes down what the service's answers showed. Losing it costs a few requests.
func (t *Target) saveLearnt() {
	all, l := t.bucket.Service.Learnt(), learnt{Service: t.where.String(), At: time.Now().UTC(), Has: map[provider.Feature]provider.Answer{}}
	for _, f := range kept() {
		if a, ok := all[f]; ok {
			l.Has[f] = a
		}
	}
	if t.state == "" || len(l.Has) == 0 {
		return
	}
	text, err := json.Marshal(l)
	if err == nil {
		err = os.MkdirAll(t.state, 0o700)
	}
	if err == nil {
		err = atomicfile.WriteFile(learntFile(t.state), text, 0o600)
	}
	if err != nil {
		t.log.Warn("what is known of the service could not be saved; the next publish probes it again", "err", err)
	}
}

// probe finds out, once, whether a service of which the table does not say it makes copies that have
// the headers of the request. It writes below .mirror/try/ alone.
func (t *Target) probe(ctx context.Context) error {
	if t.bucket.Service.Has(provider.Copy) != provider.Ask {
		return nil
	}
	folder := documents.ProbeFolder + documents.NewNonce() + "/"
	from, to := folder+"from", folder+"to"
	defer t.removeProbes(ctx, from, to)
	if _, err := t.bucket.Put(ctx, from, []byte("mirror\n"), bucket.Staged, bucket.Condition{}); err != nil {
		return err
	}
	want := bucket.Headers{Type: "text/css"}
	if _, err := t.bucket.Copy(ctx, from, to, &want, ""); err != nil {
		return err
	}
	o, err := t.bucket.Open(ctx, to)
	if err != nil {
		return err
	}
	defer o.Close()
	if t.bucket.Service.Lacks(provider.Copy) {
		return nil
	}
	if !strings.HasPrefix(o.Headers.Type, want.Type) {
		t.bucket.Service.Learn(provider.Copy, provider.No, fmt.Errorf("a copy has the Content-Type %q in place of %q", o.Headers.Type, want.Type))
		return nil
	}
	t.bucket.Service.Learn(provider.Copy, provider.Yes, nil)
	return nil
}

func (t *Target) removeProbes(ctx context.Context, paths ...string) {
	for _, path := range paths {
		if err := t.bucket.RemoveOne(context.WithoutCancel(ctx), path); err != nil {
			t.log.Warn("a probe is left", "path", t.bucket.Prefix+path, "err", err)
		}
	}
}
