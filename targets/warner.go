package targets

// Warner is a Target that may do what it is asked for in another way than its config says.
type Warner interface {
	// TakeWarnings returns, for people, how Commit and Rollback did so since the last call.
	TakeWarnings() []string
}
