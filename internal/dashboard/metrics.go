package dashboard

type metrics struct{}

func newMetrics(Options) *metrics { return &metrics{} }
