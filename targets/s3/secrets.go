package s3

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"mirror/internal/regular"
)

// maxProfiles bounds the file with the keys of AWS profiles, in bytes.
const maxProfiles = 1 << 20

// storedSecrets tells of the keys in the file in which the AWS tools keep them. What another
// part of the credential chain holds is told when it is used.
func storedSecrets(getenv func(string) string, tell func(source, value string)) {
	name := getenv("AWS_SHARED_CREDENTIALS_FILE")
	if home := cmp.Or(getenv("HOME"), getenv("USERPROFILE")); name == "" && home != "" { // the latter on Windows
		name = filepath.Join(home, ".aws", "credentials")
	}
	text, err := regular.ReadFile(name, maxProfiles)
	if err != nil {
		return
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), "=")
		switch strings.TrimSpace(strings.ToLower(key)) {
		case "aws_access_key_id", "aws_secret_access_key", "aws_session_token":
			tell("the file "+name, strings.TrimSpace(value))
		}
	}
}

// tellingProvider tells of keys as the credential chain hands them out.
type tellingProvider struct {
	aws.CredentialsProvider
	tell func(source, value string)
}

// Retrieve returns keys.
func (p tellingProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	keys, err := p.CredentialsProvider.Retrieve(ctx)
	if err == nil {
		for _, value := range []string{keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken} {
			if value != "" {
				p.tell("the AWS credentials ("+keys.Source+")", value)
			}
		}
	}
	return keys, err
}
