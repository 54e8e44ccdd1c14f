# Each target is what a person would type, and nothing else. "make help" lists them.

# A tag v1.2.3 gives 1.2.3, three commits later 1.2.3+3.gabcdef0, no tag at all 0.1.0.
VERSION ?= $(or $(shell git describe --tags --match 'v[0-9]*' 2>/dev/null | sed -e 's/^v//' -e 's/-\([0-9]*\)-g/+\1.g/'),0.1.0)
# The time of all files in a package: that of the commit, so that two builds of it are the same.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),1767225600)
export VERSION SOURCE_DATE_EPOCH

DIST ?= dist
export DIST
ARCHES = amd64 arm64

GO_FLAGS = -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$(VERSION)"
GO_BUILD = CGO_ENABLED=0 go build $(GO_FLAGS)
NFPM = go tool -modfile=packaging/tools/go.mod nfpm
CI_TOOL = go tool -modfile=.ci/tools/go.mod

GO_TEST = go test
# The folders with tests that need a tag: the others have nothing new to say then.
tagged = $(sort $(dir $(shell grep -rlE --include='*_test.go' '^//go:build .*\b$(1)\b' ./cmd ./daemon ./etc ./packaging ./test ./units)))
# Where "make test" collects what was skipped and why.
RAYNODED_SKIPS ?= $(CURDIR)/.lab/skips
export RAYNODED_SKIPS

MAKEFLAGS += --no-print-directory

.PHONY: help build package release lint vuln test test-setup test-unit test-ray test-systemd matrix chaos soak fuzz bench demo clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

build: ## bin/raynoded, a static program for this machine
	$(GO_BUILD) -o bin/raynoded ./cmd/raynoded

package: ## .deb and .rpm for amd64 and arm64 in dist/ (VERSION=1.2.3 and DIST=folder change that)
	@test -n "$$DIST" || { echo "DIST must name a folder, got nothing" >&2; exit 1; }
	mkdir -p dist "$$DIST" && rm -rf "$$DIST"/raynoded[-_]* "$$DIST"/pages
	awk -f packaging/changelog.awk CHANGELOG.md >dist/changelog.yaml
	CGO_ENABLED=0 go run -tags pages $(GO_FLAGS) ./cmd/raynoded "$$DIST"/pages
	for arch in $(ARCHES); do \
		GOARCH=$$arch $(GO_BUILD) -o "$$DIST"/linux-$$arch/raynoded ./cmd/raynoded || exit; \
		for packager in deb rpm; do \
			PACKAGE_ARCH=$$arch $(NFPM) package --packager $$packager --target "$$DIST" || exit; \
		done; \
	done

release: ## what is published of a tagged commit, in dist/release/ (VERSION=1.2.3)
	packaging/release '$(VERSION)' '$(ARCHES)'

lint: ## gofmt, go vet and golangci-lint over everything, tagged tests included
	@files=$$(gofmt -l cmd daemon etc packaging test units); \
		test -z "$$files" || { echo "gofmt would change:" $$files; exit 1; }
	@long=$$(git ls-files '*.go' | grep -v '\.pb\.go$$' | xargs grep -nE '^.{101}' | grep -E '^[^:]+:[0-9]+:\s*//'); \
		test -z "$$long" || { echo "comments over 100 columns:"; echo "$$long"; exit 1; }
	go vet ./...
	go vet -tags 'ray systemd bench chaos matrix' ./...
	go vet -tags pages ./cmd/raynoded
	$(CI_TOOL) golangci-lint run
	$(CI_TOOL) golangci-lint run --build-tags pages ./cmd/raynoded

vuln: ## known vulnerabilities in what we use (asks vuln.go.dev)
	$(CI_TOOL) govulncheck ./...

test: ## everything that this machine allows; gets what it needs first, and says what it skipped
	@mkdir -p .lab && : >$(RAYNODED_SKIPS)
	$(MAKE) test-setup
	$(MAKE) test-unit GO_TEST='.ci/gotest unit'
	$(MAKE) --jobs=2 test-ray test-systemd GO_TEST='.ci/gotest $$(@:test-%=%)'
	@sed -e '1i skipped in all:' $(RAYNODED_SKIPS)

test-setup: ## real Ray and bootable systems for the tests, into .lab/
	test/setup

test-unit: ## the tests that need nothing but Go and a C compiler, in a minute
	$(GO_TEST) -race -timeout 20m ./...

test-ray: ## with real Ray and the race detector in raynoded too; needs test-setup
	go build -race -buildvcs=false -o bin/raynoded.race ./cmd/raynoded
	$(GO_TEST) -race -timeout 2h -p 1 -tags ray $(call tagged,ray)

test-systemd: package ## the installed packages in booted systems; needs root and test-setup
	$(GO_TEST) -race -timeout 2h -p 1 -tags systemd $(call tagged,systemd)

matrix: package ## every fault in every way of use, and docs/reliability.md from it; about an hour, root and test-setup
	RAYNODED_MATRIX=all go test -timeout 2h -v -tags systemd -run '^Test(Matrix|Times)_' ./test/faults
	test/setup wheels
	test/setup root dnf
	go test -timeout 30m -v -tags 'systemd matrix' -run '^TestAnsible_(APT|DNF|Ray.*)$$' ./test/ansible
	test/setup nccl
	go build -race -buildvcs=false -o bin/raynoded.race ./cmd/raynoded
	go test -timeout 30m -v -tags 'ray matrix' -run '^TestNCCL$$' ./test/ray
	test/setup root torch
	go test -timeout 30m -v -tags 'systemd matrix' -run '^TestHost_Gloo$$' ./test/hosts
	RAYNODED_MATRIX=all go test -timeout 30m -v -tags ray -run '^TestFleet' ./daemon
	RAYNODED_MATRIX=all go test -timeout 1h -v -tags bench -run '^TestFaults$$' ./test/bench
	go run ./test/reliability

chaos: package ## random faults for CHAOS_TIME (10m) from CHAOS_SEED; root and test-setup
	go test -timeout 0 -v -tags chaos -run '^TestChaos$$' ./test/chaos
	go run ./test/reliability

soak: ## 200 lives of a worker in one process, with the fake Ray and with the real one; needs test-setup
	RAYNODED_SOAK=200 go test -v -run '^TestSoak' ./daemon
	go build -race -buildvcs=false -o bin/raynoded.race ./cmd/raynoded
	RAYNODED_SOAK=200 go test -timeout 3h -v -tags ray -run '^TestSoak$$' ./test/ray

FUZZ_TIME ?= 1m
fuzz: ## role files, GCS replies and the watch's episodes, FUZZ_TIME (1m) each
	go test -run '^$$' -fuzz '^FuzzParse$$' -fuzztime $(FUZZ_TIME) ./daemon/role
	go test -run '^$$' -fuzz '^FuzzReply$$' -fuzztime $(FUZZ_TIME) ./daemon/gcs
	go test -run '^$$' -fuzz '^FuzzEpisode$$' -fuzztime $(FUZZ_TIME) ./daemon/watchdog

bench: package ## the numbers of docs/performance.md; needs root and test-setup
	test/bench/run

demo: build ## a real cluster on this machine, from its start to the end of its head
	test/demo/run

clean: ## removes what was built; .lab/ stays
	rm -rf bin dist
