package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"mirror/targets/s3/internal/provider"
)

// maxPage is the most that one listing request gives (ListObjectsV2, MaxKeys).
const maxPage = 1000

// sequel is how many keys the pages of a segment behind its first one ask for: little is left of it.
const sequel = 250

// List returns the objects whose paths begin with under.
func (b *Bucket) List(ctx context.Context, under string) ([]Object, error) {
	all, _, err := b.ListFrom(ctx, under, "", func(string) bool { return false })
	return all, err
}

// ListFrom lists page by page, from after a path on. It stops, and says so, after a page
// whose last path is enough.
func (b *Bucket) ListFrom(ctx context.Context, under, after string, enough func(path string) bool) (all []Object, stopped bool, err error) {
	return b.listFrom(ctx, under, after, false, enough)
}

// listFrom is ListFrom. With short, what follows the first page is expected to be short.
func (b *Bucket) listFrom(ctx context.Context, under, after string, short bool, enough func(path string) bool) (all []Object, stopped bool, err error) {
	l := &lister{b: b, prefix: b.Prefix + under, keys: b.Page}
	if after != "" {
		l.after = b.Prefix + after
	}
	var within bound
	for more := true; more; {
		var p page
		if p, err = l.next(ctx); err != nil {
			return nil, false, failed("list", l.prefix, err)
		}
		bytes := 0
		for _, o := range p.contents {
			bytes += len(aws.ToString(o.Key))
			path, ok := strings.CutPrefix(aws.ToString(o.Key), l.prefix)
			if !ok {
				return nil, false, fmt.Errorf("list %q: the service gave the key %q, which is outside", l.prefix, aws.ToString(o.Key))
			}
			all = append(all, Object{
				Path: under + path, ETag: aws.ToString(o.ETag), Size: aws.ToInt64(o.Size),
				Modified: aws.ToTime(o.LastModified).UTC(), Seen: p.seen,
			})
		}
		if err := within.page(len(p.contents), bytes); err != nil {
			return nil, false, fmt.Errorf("list %q: %w", l.prefix, err)
		}
		more = p.more
		if short {
			l.keys = min(l.keys, sequel)
		}
		if len(all) > 0 && more && enough(all[len(all)-1].Path) {
			return all, true, nil
		}
	}
	return all, false, nil
}

// lister asks for one page after another, in the way that the service knows.
type lister struct {
	b      *Bucket
	prefix string
	after  string // the key behind which the next page begins
	token  string // of ListObjectsV2; "" for the first page
	keys   int32  // that the next page asks for
	// encoded asks for percent-encoded keys, which show names that XML cannot hold.
	encoded bool
}

// page is one answer.
type page struct {
	contents []types.Object
	more     bool
	seen     time.Time // by the service's clock
}

// next gets the next page. A service that does not know ListObjectsV2 refuses it, or answers as
// to ListObjects, which shows in a page that ends without a token.
func (l *lister) next(ctx context.Context) (page, error) {
	var p page
	err := l.b.Service.try(provider.ListV2, func(with bool) (err error) {
		if with {
			p, err = l.readable(func() (page, error) { return l.second(ctx) })
			if !errors.Is(err, errNoToken) {
				return err
			}
			l.b.Service.Learn(provider.ListV2, provider.No, err)
		}
		p, err = l.readable(func() (page, error) { return l.first(ctx) })
		return err
	})
	if err != nil {
		return page{}, err
	}
	if len(p.contents) > 0 {
		l.after = aws.ToString(p.contents[len(p.contents)-1].Key)
	}
	return p, nil
}

var errNoToken = errors.New("the listing goes on, but the answer has no token for the next page")

// readable asks for encoded keys from where an answer cannot be parsed on: an object's name may
// have characters that XML has no way to write.
func (l *lister) readable(ask func() (page, error)) (page, error) {
	p, err := ask()
	if broken := (*smithy.DeserializationError)(nil); !errors.As(err, &broken) || l.encoded || l.b.Service.Lacks(provider.URLEncoding) {
		return p, err
	}
	l.encoded = true
	return ask()
}

// second is ListObjectsV2.
func (l *lister) second(ctx context.Context) (page, error) {
	in := &s3.ListObjectsV2Input{Bucket: &l.b.name, Prefix: &l.prefix, MaxKeys: &l.keys, EncodingType: l.encoding()}
	if l.token != "" {
		in.ContinuationToken = &l.token
	} else {
		in.StartAfter = optional(l.after)
	}
	out, err := l.b.api.ListObjectsV2(ctx, in)
	if err != nil {
		return page{}, err
	}
	p := page{contents: out.Contents, more: aws.ToBool(out.IsTruncated), seen: serverTime(out.ResultMetadata)}
	if err := decodeKeys(p.contents, out.EncodingType); err != nil {
		return page{}, err
	}
	token := aws.ToString(out.NextContinuationToken)
	switch {
	case p.more && token == "":
		return page{}, errNoToken
	case p.more && token == l.token:
		return page{}, errors.New("the service gives the same page again and again")
	}
	l.token = token
	return p, nil
}

// first is ListObjects, whose pages begin behind the last key of the page before.
func (l *lister) first(ctx context.Context) (page, error) {
	in := &s3.ListObjectsInput{Bucket: &l.b.name, Prefix: &l.prefix, MaxKeys: &l.keys, Marker: optional(l.after), EncodingType: l.encoding()}
	out, err := l.b.api.ListObjects(ctx, in)
	if err != nil {
		return page{}, err
	}
	p := page{contents: out.Contents, more: aws.ToBool(out.IsTruncated), seen: serverTime(out.ResultMetadata)}
	if err := decodeKeys(p.contents, out.EncodingType); err != nil {
		return page{}, err
	}
	if n := len(p.contents); p.more && (n == 0 || aws.ToString(p.contents[n-1].Key) <= l.after) {
		return page{}, errors.New("the service gives the same page again and again")
	}
	return p, nil
}

func (l *lister) encoding() types.EncodingType {
	if l.encoded {
		return types.EncodingTypeUrl
	}
	return ""
}

// decodeKeys decodes the keys in place, where the answer says that they are encoded.
func decodeKeys(all []types.Object, encoding types.EncodingType) error {
	if encoding != types.EncodingTypeUrl {
		return nil
	}
	for i := range all {
		key, err := url.QueryUnescape(aws.ToString(all[i].Key))
		if err != nil {
			return fmt.Errorf("key %q is not encoded as the answer says: %w", aws.ToString(all[i].Key), err)
		}
		all[i].Key = &key
	}
	return nil
}
