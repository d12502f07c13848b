# Needs cargo, make and git; `make test` also wants the programs of a PostgreSQL server (see scripts/ensure-postgres) and
# Node.js (see scripts/ensure-clients).
# ARGS goes to the program: make run ARGS="--listen 127.0.0.1:9000"

CARGO ?= cargo
ROLLCALL = $(CARGO) run --locked --quiet --

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start the server with a demo roll on http://127.0.0.1:8080 (ARGS="--listen ADDR --data DIR")
	$(CARGO) run --locked -- serve --demo $(ARGS)

.PHONY: demo
demo: ## The same with simulated people who confirm, refuse and let links expire
	$(CARGO) run --locked -- serve --demo --simulate $(ARGS)

.PHONY: test
test: ## Run every test, on SQLite and on a throw-away PostgreSQL (NO_POSTGRES=1, NO_CLIENTS=1 skip what they name)
	./scripts/ensure-postgres
	./scripts/ensure-clients
	$(CARGO) test --locked --workspace $(ARGS)

# What has a long form: the names of tests begin so.
SOAK_TESTS ?= faults::frozen faults::restarted faults::two_servers processes::killed

.PHONY: soak
soak: ## Run the fault tests in their long forms, about an hour (SOAK_TESTS="…" for some of them)
	./scripts/ensure-postgres
	SOAK=1 $(CARGO) test --locked --test it -- --nocapture $(SOAK_TESTS)

.PHONY: check
check: ## Check the formatting, the lints and the documentation; warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

.PHONY: fix
fix: ## Repair what clippy and rustfmt can repair by themselves
	$(CARGO) clippy --locked --workspace --all-targets --fix --allow-dirty --allow-staged
	$(CARGO) fmt --all

.PHONY: schema
schema: ## Write schema.graphql anew
	$(ROLLCALL) schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

.PHONY: config-docs
config-docs: ## Write docs/configuration.md anew
	$(ROLLCALL) config docs > docs/configuration.md.new
	mv docs/configuration.md.new docs/configuration.md

.PHONY: bench
bench: ## Measure a directory sync of 10,000 people, and how a change reaches 10,000 live streams
	$(CARGO) run --release --locked -p bench --bin directory-sync
	$(CARGO) run --release --locked -p bench --bin fan-out

.PHONY: deny
deny: ## Check licences, forbidden crates, sources and known faults of the dependencies (needs cargo-deny)
	$(CARGO) deny --all-features check bans licenses sources
	@if $(CARGO) deny fetch db; then \
		$(CARGO) deny --all-features check --disable-fetch advisories; \
	else \
		echo "SKIPPED: the known faults of dependencies. Their database (RustSec) cannot be fetched from here." >&2; \
	fi

FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= guard webhook socket_message table

# The lock file is the workspace's, so that what runs is what the binary holds; cargo adds what only the fuzzer needs.
.PHONY: fuzz
fuzz: ## Give each reader of foreign text random input for FUZZ_SECONDS (600) (needs cargo-fuzz and a C++ compiler; FUZZ_TARGETS="guard")
	cp Cargo.lock fuzz/Cargo.lock
	@for target in $(FUZZ_TARGETS); do \
		echo "== $$target: $(FUZZ_SECONDS) s"; \
		mkdir -p fuzz/corpus/$$target; \
		$(CARGO) fuzz run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=1024 -max_len=16384 -print_final_stats=1 || exit 1; \
	done
