package lab

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkServe is what one answer costs at each origin with nothing set, the network
// left out.
func BenchmarkServe(b *testing.B) {
	l, err := Start(b.Context(), Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	page := make([]byte, 8<<10)
	for i, place := range []editor{l.Git, l.S3, l.Registry} {
		o := l.Origins()[i]
		if err := place.Edit(b.Context(), map[string][]byte{"index.html": page}); err != nil {
			b.Fatal(err)
		}
		b.Run(o.Name, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				r := httptest.NewRequest("GET", "/", nil)
				for pb.Next() {
					w := httptest.NewRecorder()
					if o.ServeHTTP(w, r); w.Code != http.StatusOK {
						b.Fatalf("GET / = %d", w.Code)
					}
				}
			})
		})
	}
}
