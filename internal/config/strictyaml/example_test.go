package strictyaml_test

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"mirror/internal/config/strictyaml"
)

type server struct {
	Host    string        `yaml:"host" jsonschema:"required,format=host"`
	Mode    string        `yaml:"mode" jsonschema:"default=fast,enum=fast,enum=safe"`
	Timeout time.Duration `yaml:"timeout" jsonschema:"default=10s"`
}

// types checks the format of a host's name.
var types = strictyaml.Types{Formats: map[string]strictyaml.DecodeFunc{
	"host": func(d *strictyaml.Decoder, key string, n *yaml.Node, v reflect.Value) {
		if strings.Contains(v.String(), "/") {
			d.Errorf(n, "%s: %s is no host", key, d.Describe(n))
		}
	},
}}

func read(text string) (s server, err error) {
	getenv := func(name string) string { return map[string]string{"HOST": "example.org"}[name] }
	doc, err := strictyaml.Read("server.yaml", []byte(text), strictyaml.Environment{Get: getenv})
	if err != nil {
		return s, err
	}
	d := strictyaml.NewDecoder(doc, types)
	d.Decode("the config", doc.Root, reflect.ValueOf(&s).Elem())
	return s, d.Err()
}

func Example() {
	s, err := read("host: ${HOST}\ntimeout: 1m\n")
	fmt.Println(s.Host, s.Mode, s.Timeout, err)
	// Output: example.org fast 1m0s <nil>
}

func Example_errors() {
	_, err := read("host: a/b\nmode: fats\ntimout: 1m\n")
	fmt.Println(err)
	// Output:
	// server.yaml:1:7: host: "a/b" is no host
	// server.yaml:2:7: mode: "fats" is none of fast, safe; did you mean "fast"?
	// server.yaml:3:1: unknown key "timout"; did you mean "timeout"?
}
