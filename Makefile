# The commands people type. What they do is in the scripts and programs they call.

PORT ?= 3000
# Some shells export HOST as the machine's name; here it counts only when it is given to make.
host := $(if $(filter command,$(firstword $(origin HOST))),--host $(HOST))
step := local/step.sh

.DEFAULT_GOAL := help
.PHONY: help up build stack test test-unit test-contract test-e2e test-soak test-sql soak outage lint lint-sql fmt reset clean

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

up: build stack ## run the API on port 3000 (PORT=3001, HOST=local|spin, DAB_URL=http://…)
	@exec target/debug/local up --listen 127.0.0.1:$(PORT) $(host)

build: ## build the component for wasm32-wasip2, with a toolchain for it if there is none
	@$(step) "component" local/build-component.sh

stack: ## build the local stack: bridge, built-in host
	@$(step) "local stack" cargo build --quiet --locked -p local

test: lint lint-sql test-unit test-contract test-e2e test-soak test-sql ## everything that must pass before a change lands

lint: ## format and clippy
	@$(step) "format" cargo fmt --all --check
	@$(step) "clippy" cargo clippy --quiet --locked --workspace --all-targets -- -D warnings

lint-sql: ## sql/ through a T-SQL parser, DAB's configuration through its schema (SQL_LINT=skip leaves it out)
	@$(step) "T-SQL" local/lint-sql.sh

test-unit: ## unit tests of every crate
	cargo test --locked --workspace --lib --bins --test wire

test-contract: ## sql/, DAB's configuration, the component and the local bridge agree; the table of cases on the local bridge
	cargo test --locked -p customer-api --test contract
	cargo test --locked -p procedure-cases --test bridge

test-e2e: build stack ## black-box tests over HTTP (SPIN=/path/to/spin runs them on real Spin)
	cargo test --locked --test e2e

test-soak: build stack ## a short soak
	cargo run --quiet --locked -p soak -- --requests 1500 --rate 300

test-sql: ## the table of cases on a T-SQL engine (SQLSERVER_URL='Server=tcp:…;Database=<an empty one>;…')
ifdef SQLSERVER_URL
	cargo clippy --quiet --locked -p procedure-cases --features tls --all-targets -- -D warnings
	cargo test --locked -p procedure-cases --features tls --lib --test sql_server -- --nocapture
else
	@echo "  · SKIPPED: SQLSERVER_URL is not set, so the cases have not run on a T-SQL engine"
endif

soak: build stack ## 50,000 requests while the bridge fails (six minutes); writes docs/resilience-report.md
	cargo run --quiet --locked -p soak -- --requests 50000 --report docs/resilience-report.md

outage: build stack ## outages of ten seconds and of a minute, in real time (three minutes)
	cargo test --locked --test e2e -- --ignored outage

fmt: ## format the code
	cargo fmt --all

reset: ## start over with fresh local data
	rm -f .local/customers.db .local/customers.db-wal .local/customers.db-shm

clean: ## remove everything that was built or downloaded for the project
	rm -rf target .local
