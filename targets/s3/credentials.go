package s3

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"

	"mirror/internal/regular"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
)

// namedKeys are the keys in the environment variables that the config names.
func namedKeys(env targets.Env, c Config) (aws.CredentialsProvider, error) {
	getenv := env.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	key, secret := getenv(c.AccessKeyEnv), getenv(c.SecretKeyEnv)
	for _, v := range []struct{ key, name, value string }{{"access_key_env", c.AccessKeyEnv, key}, {"secret_key_env", c.SecretKeyEnv, secret}} {
		if v.value == "" {
			return nil, fmt.Errorf("s3: %s: the environment variable %s is not set", v.key, v.name)
		}
	}
	return credentials.NewStaticCredentialsProvider(key, secret, ""), nil
}

// explained returns a provider whose error says where keys were looked for. The metadata service of
// a machine is the last place, and is asked only where keys are to come from there.
func explained(found aws.CredentialsProvider, c Config, where location) aws.CredentialsProvider {
	instance := found == nil || aws.IsCredentialsProvider(found, (*ec2rolecreds.Provider)(nil))
	if instance && (found == nil || !asksInstance(c, where, "/sys")) {
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, &bucket.KeysError{Err: missingKeys(where, "")}
		})
	}
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		keys, err := found.Retrieve(ctx)
		if err != nil && instance {
			err = fmt.Errorf("%w: %w", missingKeys(where, " and the instance metadata service"), err)
		}
		if err != nil {
			return keys, &bucket.KeysError{Err: err}
		}
		return keys, err
	})
}

// asksInstance reports whether keys are to come from the metadata service: the config says so or,
// for AWS itself, the environment names the service or the machine is one of AWS's.
func asksInstance(c Config, where location, sys string) bool {
	return c.InstanceRole || where.Name == "aws" && (os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT") != "" || isInstance(sys))
}

// isInstance reports whether the machine's firmware says that it is an EC2 instance ("Detect whether
// a host is an EC2 instance" in the EC2 user guide).
func isInstance(sys string) bool {
	const most = 4096
	for name, begins := range map[string]string{
		"class/dmi/id/sys_vendor": "amazon ec2", "class/dmi/id/board_vendor": "amazon ec2",
		"devices/virtual/dmi/id/bios_vendor": "amazon ec2", "hypervisor/uuid": "ec2",
	} {
		text, err := regular.ReadFile(filepath.Join(sys, name), most)
		if err == nil && strings.HasPrefix(strings.ToLower(string(text)), begins) {
			return true
		}
	}
	return false
}

// missingKeys says where keys were looked for and not found.
func missingKeys(where location, besides string) error {
	id, secret := os.Getenv("AWS_ACCESS_KEY_ID") != "", os.Getenv("AWS_SECRET_ACCESS_KEY") != ""
	switch {
	case id && !secret:
		return fmt.Errorf("the environment variable AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")
	case secret && !id:
		return fmt.Errorf("the environment variable AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not")
	}
	profile := os.Getenv("AWS_PROFILE")
	if profile == "" {
		profile = "default"
	}
	hint := "set both variables, or name others with access_key_env and secret_key_env"
	if where.Name == "aws" {
		hint += "; on an EC2 instance with a role, instance_role: true"
	}
	return fmt.Errorf("there are no keys for %s: looked for the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "+
		"for AWS_WEB_IDENTITY_TOKEN_FILE and AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, for aws_access_key_id and aws_secret_access_key of the profile %q in %s and %s,%s "+
		"and for access_key_env and secret_key_env in the config (hint: %s)",
		where.described(), profile, fileOr("AWS_SHARED_CREDENTIALS_FILE", awsconfig.DefaultSharedCredentialsFilename()),
		fileOr("AWS_CONFIG_FILE", awsconfig.DefaultSharedConfigFilename()), besides, hint)
}

func fileOr(variable, usual string) string {
	if name := os.Getenv(variable); name != "" {
		return name
	}
	return usual
}
