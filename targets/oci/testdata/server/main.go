// Server is a static file server that takes the arguments of `mirror serve`, for the
// tests to put into an image.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) < 3 || os.Args[1] != "serve" {
		log.Fatalf("want serve DIR, got %q", os.Args)
	}
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	listen := flags.String("listen", ":8080", "address")
	if err := flags.Parse(os.Args[3:]); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(*listen, http.FileServer(http.Dir(os.Args[2]))))
}
