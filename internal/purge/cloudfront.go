package purge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"mirror/internal/wait"
)

// maxPaths is how many paths of a distribution may be in progress at once; for more there is a wildcard.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
const maxPaths = 3000

// The pause between two looks at an invalidation, and before one that was refused because too many are in progress.
const (
	firstLook = time.Second
	lastLook  = 10 * time.Second
)

// cloudFront creates invalidations: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
type cloudFront struct {
	address     string // of the distribution's invalidations
	credentials aws.CredentialsProvider
	client      *client
}

func newCloudFront(c Config, env Env, client *client) (*cloudFront, error) {
	f := &cloudFront{address: c.api() + "/2020-05-31/distribution/" + c.Distribution + "/invalidation", client: client}
	if c.AccessKeyEnv == "" {
		f.credentials = defaultCredentials{}
		return f, nil
	}
	key, err := variable(env, "access_key_env", c.AccessKeyEnv)
	if err != nil {
		return nil, err
	}
	secret, err := variable(env, "secret_key_env", c.SecretKeyEnv)
	if err != nil {
		return nil, err
	}
	f.credentials = credentials.NewStaticCredentialsProvider(key, secret, "")
	return f, nil
}

// defaultCredentials are those that the AWS SDK finds: in the environment, in ~/.aws, of the machine.
type defaultCredentials struct{}

// Retrieve reads the SDK's config anew.
func (defaultCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	return c.Credentials.Retrieve(ctx)
}

// invalidation is what the API answers.
type invalidation struct {
	ID     string `xml:"Id"`
	Status string `xml:"Status"`
}

// Purge creates an invalidation and waits until it is completed.
func (f *cloudFront) Purge(ctx context.Context, b Batch) (int, error) {
	var n atomic.Int64
	err := f.invalidate(ctx, b, &n)
	if err != nil {
		err = fmt.Errorf("cloudfront: %w", err)
	}
	return int(n.Load()), err
}

func (f *cloudFront) invalidate(ctx context.Context, b Batch, n *atomic.Int64) error {
	ctx, keys, err := f.withCredentials(ctx)
	if err != nil {
		return err
	}
	body, err := invalidationBatch(pathsOf(b))
	if err != nil {
		return err
	}
	var made invalidation
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		made, err = f.call(ctx, http.MethodPost, f.address, body, keys, n)
		if !errors.Is(err, errInProgress) || wait.Sleep(ctx, pause) != nil {
			break
		}
	}
	for pause := firstLook; err == nil && made.Status != "Completed"; pause = min(pause*3/2, lastLook) {
		if wait.Sleep(ctx, pause) != nil {
			return fmt.Errorf("the invalidation is still in progress: %w", context.Cause(ctx))
		}
		id := made.ID
		if made, err = f.call(ctx, http.MethodGet, f.address+"/"+url.PathEscape(id), nil, keys, n); err == nil && made.ID != id {
			err = errors.New("the answer is not about the invalidation that was asked for")
		}
	}
	return err
}

// withCredentials gets the credentials once for all requests.
func (f *cloudFront) withCredentials(ctx context.Context) (context.Context, aws.Credentials, error) {
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	keys, err := f.credentials.Retrieve(limited)
	if err != nil {
		return ctx, keys, fmt.Errorf("there are no AWS credentials (hint: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or access_key_env and secret_key_env): %w", err)
	}
	return ctx, keys, nil
}

// pathsOf lists the paths of a batch as CloudFront wants them: only what RFC 1738 calls unsafe is encoded, "~" too. More
// than can be in progress at once are one wildcard.
func pathsOf(b Batch) []string {
	own := (&url.URL{Scheme: b.Site.Scheme, Host: b.Site.Host}).String()
	var paths []string
	for _, address := range b.URLs {
		if asBrowsersWrite(address) != address {
			continue // the other form is listed too
		}
		path := strings.TrimPrefix(address, own)
		paths = append(paths, path)
		if strings.Contains(path, "~") {
			paths = append(paths, strings.ReplaceAll(path, "~", "%7E"))
		}
	}
	if len(paths) > maxPaths {
		return []string{trimSlash(b.Site.EscapedPath()) + "/*"}
	}
	return paths
}

// invalidationBatch writes the body of a request. The reference tells it from any other, and is the same when it is sent again.
func invalidationBatch(paths []string) ([]byte, error) {
	type items struct {
		Quantity int
		Items    struct{ Path []string }
	}
	batch := struct {
		XMLName         xml.Name `xml:"http://cloudfront.amazonaws.com/doc/2020-05-31/ InvalidationBatch"`
		Paths           items
		CallerReference string
	}{Paths: items{Quantity: len(paths)}, CallerReference: "mirror-" + rand.Text()}
	batch.Paths.Items.Path = paths
	return xml.Marshal(batch)
}

// errInProgress says that too many invalidations are in progress.
var errInProgress = errors.New("too many invalidations are in progress")

func (f *cloudFront) call(ctx context.Context, method, address string, body []byte, keys aws.Credentials, n *atomic.Int64) (invalidation, error) {
	r := request{method: method, url: address, body: body, header: http.Header{}, sign: func(ctx context.Context, req *http.Request, body []byte) error {
		digest := sha256.Sum256(body)
		return v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(digest[:]), "cloudfront", "us-east-1", time.Now())
	}}
	if body != nil {
		r.header.Set("Content-Type", "application/xml")
	}
	a, err := f.client.do(ctx, r, n)
	if err != nil {
		return invalidation{}, err
	}
	var made invalidation
	if a.good() {
		if err := xml.Unmarshal(a.body, &made); err != nil || made.ID == "" || made.Status == "" {
			return made, errors.New("the answer is not an invalidation")
		}
		return made, nil
	}
	var said struct {
		Error struct{ Code, Message string }
	}
	if xml.Unmarshal(a.body, &said) == nil && said.Error.Code != "" {
		if said.Error.Code == "TooManyInvalidationsInProgress" {
			return made, errInProgress
		}
		a.body = []byte(said.Error.Code + ": " + said.Error.Message)
	}
	return made, refusal(a)
}
