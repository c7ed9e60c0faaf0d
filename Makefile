# One door. `make run` and `make test` do all set-up themselves; `make ci` is what CI runs.

GO      ?= go
BIN     := bin/daybreak
# Where the reference data of `make eval` lives, if there is any.
SHARED  ?= ../shared
# A number of inputs. A time such as 10m works too, but go test may then fail a target with "context deadline exceeded" at its end.
FUZZTIME ?= 50000x
# Packages with benchmarks, and how often each runs (benchstat wants several).
BENCHCOUNT ?= 1
# Seconds of a sustained rate, and records of a back-fill, in bench-live.
DURATION ?= 600
RECORDS  ?= 10000000
# Minutes of soak.
MINUTES  ?= 20

# What ci and race run tests with: lint has vetted all.
CHECKED := -vet=off

.PHONY: build run test quick race lint fmt gen bench eval fuzz ci crash live soak bench-live bench-detect lake-readers ipdb clean

build: ## the program, bin/daybreak
	$(GO) build -o $(BIN) ./cmd/daybreak

run: build ## a simulated company at work and Daybreak watching it; Ctrl-C stops, the next run goes on
	@$(BIN) demo --data daybreak-demo $(DEMO)

test: ## every test, in random order
	$(GO) test -shuffle=on ./...

quick: ## format, vet, staticcheck and short tests of the packages that have changed: less than a minute for most
	@scripts/quick.sh

# SQLite is C, transpiled to Go, on memory that it maps itself. The race detector cannot see that memory, yet every access is told to it and every
# unsafe pointer is checked: most of the run. So the transpiled packages are compiled without. The driver (modernc.org/sqlite), database/sql and all
# that calls them are watched as before; Go's own locks tell the detector wherever they are called, and SQLite's atomics order nothing of ours.
TRANSPILED := modernc.org/libc/... modernc.org/memory modernc.org/sqlite/lib

# A process under the race detector sleeps for a second before it ends, in case other goroutines are at work still; the scripts start hundreds.
race: ## every short test in which something of ours runs at once, under the race detector, which looks at all but SQLite's own C
	list=$$(scripts/concurrent.sh) && GORACE="atexit_sleep_ms=10 $$GORACE" $(GO) test -race $(TRANSPILED:%=-gcflags=%=-race=false) $(CHECKED) -shuffle=on -short -timeout 30m $$list

lint: ## gofumpt, vet, staticcheck
	@out=$$($(GO) tool gofumpt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not formatted (make fmt):"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

fmt: ## format the code
	$(GO) tool gofumpt -w $$(git ls-files '*.go')

gen: ## what is generated and committed
	$(GO) generate ./...

bench: ## benchmarks, as docs/performance.md reports them
	$(GO) test -run '^$$' -bench . -benchmem -count=$(BENCHCOUNT) ./...

eval: ## the scoreboard over real records, and a real tenant's log through the program, where there are any
	$(GO) run ./eval -shared $(SHARED)
	@log=$(abspath $(SHARED))/data/raw/invictus/o365_ual.jsonl; if [ -e $$log ]; \
	then DAYBREAK_TENANT_LOG=$$log $(GO) test -count=1 -v ./test/tenant; \
	else echo "eval: skipped the tenant's log: there is no $$log"; fi

fuzz: ## every fuzz target for FUZZTIME
	@scripts/fuzz.sh $(FUZZTIME)

crash: ## kill -9 again and again during a long import
	DAYBREAK_CRASH=long $(GO) test -count=1 -timeout 30m -v ./test/crash/...

live: ## the live tenant in the sizes that are promised: 30 kills, outages, 120,000 blobs; and no secret in what it prints
	DAYBREAK_LIVE=long scripts/scan-secrets.sh $(GO) test -count=1 -timeout 90m -v ./test/live

soak: build ## every simulated vendor and serve over all of them at the pace of real time, for MINUTES
	scripts/soak.py $(MINUTES)

bench-live: build ## figures of the live tenant, as docs/performance.md reports them: about half an hour
	scripts/bench-live.py steady 5000 $(DURATION)
	scripts/bench-live.py steady 25000 120
	scripts/bench-live.py backfill $(RECORDS)
	scripts/bench-live.py blobs 120000
	scripts/bench-live.py idle 600
	scripts/bench-live.py hubs 30000 $(DURATION) 16
	for n in 1 4 16 32; do scripts/bench-live.py drain 2000000 $$n; done

bench-detect: ## figures of detection, as docs/performance.md reports them: about a quarter of an hour
	SHARED=$(abspath $(SHARED))/data scripts/bench-detect.sh

lake-readers: ## DuckDB (from npm) reads the lake and runs the examples of docs/format/lake.md
	cd test/duckdb && npm ci --no-audit --no-fund
	DAYBREAK_DUCKDB=1 $(GO) test -count=1 ./test/duckdb

ipdb: ## databases of countries and autonomous systems, into .cache/ipdb
	@scripts/ipdb.sh

ci: lint ## everything that must be green before a change lands
# Once with the tests' files in memory, once with them on the disk. Packages begin in the order given: those that take long do not run alone at the end.
	scripts/scan-secrets.sh -q scripts/in-memory.sh $(GO) test -v $(CHECKED) -shuffle=on -timeout 30m ./test/... ./...
	$(MAKE) race
	$(MAKE) eval
	$(MAKE) lake-readers
	$(MAKE) fuzz FUZZTIME=3000x
	$(MAKE) build

clean:
	rm -rf bin .cache
