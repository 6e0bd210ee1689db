# The race detector needs a C compiler. Without one, the tests run without it and say so. CI installs one.
CC_FOUND := $(shell command -v $(CC) 2>/dev/null || command -v gcc 2>/dev/null || command -v clang 2>/dev/null)
# SQLite's own code is C translated to Go: instrumenting it finds nothing of ours and makes it ten times slower. Leave out
# only that package: an uninstrumented package that uses generic types of the standard library, such as sync.Map, would
# bring uninstrumented copies of them into the program, and the detector would miss their synchronisation.
RACE     := $(if $(CC_FOUND),-race -gcflags=modernc.org/sqlite/lib=-race=false)
CGO      := $(if $(CC_FOUND),1,0)
FUZZTIME ?= 30s
KILLS    ?= 100
ROUNDS   ?= 1
FAULTS   ?=
BENCH    ?= .

# What capi version prints. Both are empty outside of a git checkout.
CLI     := github.com/opencapi/capi/internal/cli
LDFLAGS := -s -w -X $(CLI).commit=$(shell git rev-parse HEAD 2>/dev/null) -X $(CLI).committedAt=$(shell git log -1 --format=%cI 2>/dev/null)

# Number of companies in the benchmarks. Loaded data is kept in bench/cache for the next run.
COMPANIES ?= 1000000
# UNCONNECTED=1 leaves the connections out of the server's catalog, which makes the import ten times faster.
UNCONNECTED ?=

GOLANGCI_VERSION := v2.15.0
GOLANGCI         := bin/golangci-lint-$(GOLANGCI_VERSION)

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## show the whole product on 50,000 generated companies, then keep serving
	@./bin/capi demo

.PHONY: build
build: ## build the program as bin/capi, one static binary
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/capi ./cmd/capi

.PHONY: run
run: build ## serve ./capi-data
	@./bin/capi serve

.PHONY: test
test: ## run all tests, on SQLite and, if it is installed, on PostgreSQL
	$(if $(RACE),,@echo "no C compiler found: testing without the race detector")
	CGO_ENABLED=$(CGO) ./scripts/with-postgres.sh go test $(RACE) -timeout $(if $(CAPI_TEST_LONG),180m,40m) ./...

.PHONY: test-real
test-real: ## run the tests over many real companies, without the race detector
	go test -timeout 20m -run 'Contract/Real|TestRealData|TestRawFiles' ./internal/index/... ./internal/importer

.PHONY: test-bench
test-bench: ## run the tests of the benchmark, which is a module of its own
	cd bench && CGO_ENABLED=0 go test ./...

.PHONY: test-long
test-long: ## run all tests, with many more random cases; before a release
	CAPI_TEST_LONG=1 $(MAKE) test test-real

.PHONY: test-oldest
test-oldest: ## run the SQL tests on the oldest supported PostgreSQL, 14 (installed by npm)
	./scripts/with-oldest-postgres.sh go test -timeout 20m ./internal/db/... ./internal/account ./internal/token ./internal/catalog ./internal/credit \
		./internal/export ./internal/job ./internal/list ./internal/idempotency ./internal/unlock ./internal/workspace ./internal/installation \
		./internal/ratelimit ./internal/set ./internal/wall ./internal/event ./internal/webhook ./internal/order ./internal/destination ./internal/delivery \
		./internal/signing ./internal/preset ./internal/lease

.PHONY: lint
lint: $(GOLANGCI) ## check style, the layers and the prose
	./scripts/prose.sh
	$(GOLANGCI) run ./...
	cd bench && CGO_ENABLED=0 go vet ./...

.PHONY: fmt
fmt: $(GOLANGCI) ## format the code
	$(GOLANGCI) fmt ./...

.PHONY: generate
generate: ## write the generated files
	go generate ./...
	./scripts/licenses.sh > internal/cli/third_party_licenses.txt

.PHONY: verify
verify: generate ## fail if a generated file, go.mod or go.sum is out of date
	go mod tidy -diff
	cd bench && go mod tidy -diff
	cd deploy/check && go mod tidy -diff
	@git diff --exit-code --stat || { echo "generated files differ: commit what make generate wrote"; exit 1; }

.PHONY: test-deploy
test-deploy: ## check the Helm chart and the Compose files, without a cluster and without Docker
	cd deploy/check && CGO_ENABLED=0 go test ./...

.PHONY: test-refine
test-refine: ## reconcile with OpenRefine's own code against a real server; needs a JDK and Maven
	mvn -q -B -f e2e/testdata/openrefine dependency:build-classpath -Dmdep.outputFile=$(CURDIR)/bin/openrefine.classpath
	CAPI_TEST_REQUIRE=openrefine CAPI_TEST_OPENREFINE=$(CURDIR)/bin/openrefine.classpath go test -count=1 -run TestOpenRefineReconciles ./e2e

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (30s) each
	@./scripts/fuzz.sh $(FUZZTIME)

.PHONY: soak
soak: ## kill real servers and databases under load, KILLS (100) times, and audit after each kill
	go run ./e2e/soak -kills $(KILLS)

.PHONY: test-cluster
test-cluster: bin/versitygw ## kill, cut off and slow three nodes, their database and their store in turn, ROUNDS (1) times, or FAULTS of them, and audit
	go run ./e2e/soak -cluster -rounds $(ROUNDS) -faults "$(FAULTS)"

.PHONY: test-cluster-opensearch
test-cluster-opensearch: bin/versitygw ## test-cluster with the index in three nodes of OpenSearch, which fail too
	CAPI_TEST_REQUIRE=opensearch ./scripts/with-opensearch.sh -n 3 go run ./e2e/soak -cluster -opensearch -rounds $(ROUNDS) -faults "$(FAULTS)"

.PHONY: bench
bench: build ## measure the index in process and over HTTP, with COMPANIES (1000000)
	cd bench && go run . run --companies $(COMPANIES) --program ../bin/capi $(if $(UNCONNECTED),--unconnected)

.PHONY: bench-peers
bench-peers: ## measure the index next to SQLite, DuckDB, PostgreSQL, Bleve and OpenSearch, with COMPANIES (1000000)
	CGO_ENABLED=$(CGO) CAPI_TEST_POSTGRES_KEEP=bench/cache/postgres ./scripts/with-postgres.sh \
		./scripts/with-opensearch.sh -b -m 2g env -C bench go run -tags sqlite_fts5 . peers --companies $(COMPANIES)

.PHONY: bench-import
bench-import: build ## load the same files into CAPI, DuckDB and sqlite3, with COMPANIES (1000000)
	CGO_ENABLED=$(CGO) ./scripts/with-postgres.sh env -C bench go run . import --companies $(COMPANIES) --program ../bin/capi

.PHONY: bench-load
bench-load: build bin/versitygw ## measure 1, 8, 64 and 256 clients at once on one node, on two and on OpenSearch, with COMPANIES (1000000)
	CGO_ENABLED=$(CGO) CAPI_TEST_REQUIRE=postgres CAPI_TEST_POSTGRES_KEEP=bench/cache/postgres ./scripts/with-postgres.sh \
		./scripts/with-opensearch.sh -b -m 2g env -C bench go run . load --companies $(COMPANIES) $(if $(UNCONNECTED),--unconnected)

.PHONY: bench-ready
bench-ready: build bin/versitygw ## measure how soon a new node is ready, from an index in a bucket, with COMPANIES (1000000)
	CGO_ENABLED=$(CGO) CAPI_TEST_REQUIRE=postgres CAPI_TEST_POSTGRES_KEEP=bench/cache/postgres ./scripts/with-postgres.sh \
		env -C bench go run . ready --companies $(COMPANIES) $(if $(UNCONNECTED),--unconnected)

.PHONY: bench-parts
bench-parts: ## run the Go benchmarks that match BENCH (all)
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

.PHONY: test-s3
test-s3: bin/versitygw bin/minio ## test the store in a bucket and deliveries on two S3 servers, versitygw and MinIO
	CAPI_TEST_REQUIRE=s3,minio go test ./internal/blob/s3
	CAPI_TEST_REQUIRE=s3,minio go test -run TestEveryS3Server ./internal/delivery

# A test server only: its licence is the AGPL.
bin/minio:
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c

.PHONY: test-opensearch
test-opensearch: ## test with an OpenSearch server; needs Maven and Java 21 or newer
	CAPI_TEST_REQUIRE=opensearch,postgres ./scripts/with-postgres.sh ./scripts/with-opensearch.sh -m 1g sh -c \
		'go test -count=1 -p 1 ./internal/index/opensearch/... && go test -count=1 -run OpenSearch ./e2e'

bin/versitygw: ## build the S3 server that tests use
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin go install github.com/versity/versitygw/cmd/versitygw@v1.8.0

$(GOLANGCI):
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin/tmp go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv bin/tmp/golangci-lint $@ && rmdir bin/tmp
