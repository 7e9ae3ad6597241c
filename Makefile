# One place for every command: what CI runs, a person can run. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Real servers that the tests talk to, and tools, each pinned: module, version, package below it.
VERSITYGW     := github.com/versity/versitygw v1.8.0 cmd/versitygw
REGISTRY      := github.com/distribution/distribution/v3 v3.1.2 cmd/registry
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2 v2.15.0 cmd/golangci-lint
ACTIONLINT    := github.com/rhysd/actionlint v1.7.12 cmd/actionlint
GOTESTSUM     := gotest.tools/gotestsum v1.13.0
H2SPEC        := github.com/summerwind/h2spec v2.2.1+incompatible cmd/h2spec

TIMEOUT  ?= 20m
# SQLite is C translated to Go: it keeps its own locks, and takes half of the tests' time under the race detector.
RACE     := -race '-gcflags=modernc.org/...=-race=false -d=checkptr=0'
# Each program under the race detector sleeps before it exits, for a second by default; there are a hundred test programs.
export GORACE ?= atexit_sleep_ms=100
# Many tests wait for lags and deadlines: more of them at once than there are processors keep these busy.
PARALLEL ?= 6
AT_ONCE  ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1)))
# How often a failed test is repeated. A test that passes then is named in the output, and has a bug: see CONTRIBUTING.md.
RERUNS   ?= 1
FUZZTIME ?= 20s
BENCH    ?= .
PACKAGES ?= ./...
# The packages whose tests take longest start first; lint vets, so the tests need not.
FIRST    := ./cmd/mirror ./targets/s3 ./targets/oci ./targets/git
SEED     ?= 1
ROUNDS   ?= 5
KINDS    ?= S3 OCI Git SSH Check Serve
OLD      ?=
NEW      ?= .
SYSTEMS  ?= windows/amd64 darwin/arm64 freebsd/amd64 linux/arm64

.PHONY: bench-go bench-pairs experiment-clocks experiment-front experiment-grace experiment-h2spec experiment-hosts experiment-numbers experiment-orders experiment-places experiment-publishers experiment-purge experiment-rollback experiment-trace experiment-window help build docs man test servers lint cross format bench fuzz clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 27

build: ## the program, as bin/mirror
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/mirror ./cmd/mirror

test: servers ## every test, against the real servers that are installed
	@.ci/install-tool $(GOTESTSUM)
	bin/gotestsum --format=pkgname-and-test-fails --format-icons=text --hide-summary=skipped --packages='$(if $(filter ./...,$(PACKAGES)),$(FIRST)) $(PACKAGES)' \
		--rerun-fails=$(RERUNS) --rerun-fails-max-failures=3 --rerun-fails-abort-on-data-race --rerun-fails-run-root-test \
		-- $(RACE) -vet=off -p=$(AT_ONCE) -parallel=$(PARALLEL) -timeout=$(TIMEOUT)

servers: ## the real servers that no package manager has, built into bin
	@.ci/install-tool $(VERSITYGW)
	@.ci/install-tool $(REGISTRY)

lint: ## formatting, vet, golangci-lint, actionlint, tidy
	@.ci/install-tool $(GOLANGCI_LINT)
	@.ci/install-tool $(ACTIONLINT)
	@unformatted=$$(gofmt -l .); \
		if [ -n "$$unformatted" ]; then echo "not formatted (make format): $$unformatted" >&2; exit 1; fi
	go vet $(PACKAGES)
	bin/golangci-lint run $(PACKAGES)
	bin/actionlint .github/workflows/*.yml ci/github-*.yml
	go mod tidy -diff

man: build ## a man page for each command, in bin/man
	bin/mirror man bin/man

docs: ## docs/config.md from the comments of the config structs, and the tables of docs/s3-services.md and docs/caches.md
	go test ./internal/config -run=TestReferenceIsOfTheseSources -update
	go test ./targets/s3/internal/provider -run=TestServicesDocument -update
	go test ./internal/cdn -run=TestCachesDocument -update

format: ## format every source
	gofmt -w .

bench: build servers ## mirror beside git, rclone, crane, rsync and others that are installed, in ROUNDS rounds; KINDS names some: S3 OCI
	@mkdir -p bin
	MIRROR_BENCH=$(ROUNDS) MIRROR_BINARY=$(CURDIR)/bin/mirror MIRROR_BENCH_RESULTS=$(CURDIR)/bin/bench.md \
		go test -count=1 -timeout=3h -v -run='^Test($(subst $(empty) ,|,$(KINDS)))$$' ./internal/bench

bench-go: ## the benchmarks of Go packages, or those that BENCH names
	go test -run='^$$' -bench='$(BENCH)' -benchmem $(PACKAGES)

bench-pairs: ## the benchmarks BENCH of PACKAGES in the trees OLD and NEW, in 15 interleaved pairs: is any figure worse?
	go run ./internal/benchpairs -old '$(OLD)' -new '$(NEW)' -bench '$(BENCH)' $(PACKAGES)

experiment-window: ## 300 publishes from unequal states: is each true window within its bounds? Goes on in bin/experiment-window.jsonl; SEED sets the seed
	@mkdir -p bin
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) MIRROR_RESULTS=$(CURDIR)/bin/experiment-window.jsonl \
		go test -count=1 -timeout=2h -v -run=TestWindowFromUnequalStates ./cmd/mirror

experiment-front: ## 200 visitors of a front over 100 publishes with faulty origins: is any answer wrong, old or missing? Goes on in bin/experiment-front.jsonl; SEED sets the seed
	@mkdir -p bin
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) MIRROR_RESULTS=$(CURDIR)/bin/experiment-front.jsonl \
		go test -count=1 -timeout=2h -v -run='TestExperiment|TestTwoFronts|TestMoveOfManyPaths|TestAMillionFiles' ./internal/front

experiment-h2spec: ## what h2spec finds at a front, beside what it finds at Go's own HTTP/2 server
	@.ci/install-tool $(H2SPEC)
	MIRROR_EXPERIMENT=full go test -count=1 -timeout=5m -v -run=TestH2spec ./internal/front/server

experiment-grace: ## 1,000,000 visits for each policy and kind of names: does an open page miss an asset? Goes on in bin/experiment-grace.jsonl; SEED sets the seed
	@mkdir -p bin
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) MIRROR_RESULTS=$(CURDIR)/bin/experiment-grace.jsonl \
		go test -count=1 -timeout=1h -v -run=TestVisitorsDuringPublishes ./targets/kinds

cross: ## type-check and vet for the systems that no test runs on
	go run ./internal/crossvet $(SYSTEMS)

experiment-orders: ## the window for each order of four lags over the four kinds of target, with state and without. Goes on in bin/experiment-orders.jsonl
	@mkdir -p bin
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) MIRROR_RESULTS=$(CURDIR)/bin/experiment-orders.jsonl \
		go test -count=1 -timeout=3h -v -run=TestWindowInEveryOrder ./cmd/mirror

experiment-hosts: ## two hosts (network namespaces with sshd) are brought up and updated by the playbook: is any request of a visitor lost? Needs root and ansible-core
	MIRROR_EXPERIMENT=full go test ./cmd/mirror -run TestHostsAreUpdated -count=1 -timeout 20m -v

experiment-numbers: build ## worlds of 14 origins and 35 faults under a daemon: is every figure true? Goes on in bin/experiment-numbers.jsonl; SEED sets the seed
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) MIRROR_RESULTS=$(CURDIR)/bin/experiment-numbers.jsonl MIRROR_BINARY=$(CURDIR)/bin/mirror \
		go test -count=1 -timeout=2h -v -run=TestNumbersOverTimeAreTrue ./internal/service

experiment-publishers: ## 200 rounds of four publishers at once, and 200 with one that is stopped for longer than its lease
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) go test -count=1 -timeout=3h -v -run=TestOneOfSeveralPublishersWins ./internal/publish

experiment-purge: ## 1,000 publishes behind two tiers of caches: is any read after success stale? Goes on in bin/experiment-purge.jsonl; SEED sets the seed
	@mkdir -p bin
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) MIRROR_RESULTS=$(CURDIR)/bin/experiment-purge.jsonl \
		go test -count=1 -timeout=2h -v -run=TestNoStaleReadAfterSuccess ./internal/workspace

experiment-rollback: ## 100 kills of a rollback, 20 random histories with the windows of rollbacks, and 60 meetings of rollbacks
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) go test -count=1 -timeout=1h -v -run='TestKilledRollbackConverges|TestRollbackOfRandomHistories' ./cmd/mirror
	MIRROR_EXPERIMENT=full go test -count=1 -timeout=1h -v -run=TestOneOfSeveralRollbacksWins ./internal/publish

experiment-trace: ## 200 publishes behind caches, with the watch and without: are there old pages in the caches, or another window? Goes on in bin/experiment-trace.jsonl; SEED sets the seed
	@mkdir -p bin
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) MIRROR_RESULTS=$(CURDIR)/bin/experiment-trace.jsonl \
		go test -count=1 -timeout=2h -v -run=TestTraceOfTheWatcher ./internal/workspace

experiment-places: build ## 100 runs with 8 or 32 agents as processes while agents, daemons and the broker are killed and paused: is any observation lost or counted twice? Goes on in bin/experiment-places.jsonl; SEED sets the seed
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) MIRROR_RESULTS=$(CURDIR)/bin/experiment-places.jsonl MIRROR_BINARY=$(CURDIR)/bin/mirror \
		go test -count=1 -timeout=3h -v -run=TestPlacesAsProcesses ./internal/labagents

experiment-clocks: ## 200 publishes watched by 8 agents whose clocks are set apart: is each true window within its bounds? Goes on in bin/experiment-clocks.jsonl; SEED sets the seed
	@mkdir -p bin
	MIRROR_EXPERIMENT=full MIRROR_SEED=$(SEED) MIRROR_RESULTS=$(CURDIR)/bin/experiment-clocks.jsonl \
		go test -count=1 -timeout=2h -v -run=TestWindowFromPlacesHoldsTheTruth ./internal/labagents

fuzz: ## every fuzz test for FUZZTIME
	@.ci/fuzz $(FUZZTIME)

clean: ## what was built
	rm -rf bin
