package leaktest

import (
	"strings"
	"testing"
)

func TestOnlyTheSubjectsGoroutinesCount(t *testing.T) {
	stop, ofTest, ofSubject := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go waitFor(stop, ofTest)
	label := labelled(func() {
		go func() { go waitFor(stop, ofSubject) }()
	})
	<-ofTest
	<-ofSubject
	if stacks := with(label); !strings.Contains(stacks, "waitFor") || strings.Count(stacks, "1 @ ") == 0 {
		t.Errorf("found %q, want the subject's goroutine in waitFor", stacks)
	}
	if stacks := with("leaktest-0"); stacks != "" {
		t.Errorf("found %q for a label that nothing has", stacks)
	}
	close(stop)
	Run(t, func() {})()
}

func waitFor(stop <-chan struct{}, started chan<- struct{}) {
	close(started)
	<-stop
}
