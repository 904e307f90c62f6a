# The commands people type. What they do is in the scripts and programs they call.

PORT ?= 3000
MANIFEST ?= spin.toml
# Some shells export HOST as the machine's name; here it counts only when it is given to make.
host := $(if $(filter command,$(firstword $(origin HOST))),--host $(HOST))
step := scripts/step.sh
# spin.toml and the tests find what is built under target/.
unexport CARGO_TARGET_DIR

.DEFAULT_GOAL := help
.PHONY: help preflight up up-stack up-component build stack entity generate check test test-template lint lint-sql lint-deploy checks-of-deploy lint-docs test-sql test-browser test-pages soak outage crowd fuzz fuzz-api bench cost pictures site fmt reset clean

help: ## this list
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Run

preflight:
	@scripts/preflight.sh $(PORT)

# Without generator, parsers and tests, which a first build need not wait for. Both builds run at once, because each ends on one processor.
up: preflight ## run the API on port 3000 (PORT=3001, HOST=local|spin, DAB_URL=http://…, MANIFEST=spin.wasip3.toml)
	@$(MAKE) --no-print-directory --jobs 2 up-stack up-component
	@SPIN_VARIABLE_LOG_LEVEL=$${SPIN_VARIABLE_LOG_LEVEL:-info} exec target/debug/azure-sql-rest-up --manifest $(MANIFEST) --listen 127.0.0.1:$(PORT) $(host)

# Cargo would take the limit of two jobs from MAKEFLAGS.
up-stack:
	@env -u MAKEFLAGS -u MFLAGS $(step) "local stack$(if $(wildcard target/debug/azure-sql-rest-up),, (about three minutes the first time))" scripts/progress.sh cargo build --locked -p azure-sql-rest-up

up-component:
	@env -u MAKEFLAGS -u MFLAGS BESIDE=1 $(step) "component$(if $(wildcard target/wasm32-wasip2/*/customer_api.wasm),, (about a minute the first time))" scripts/build-component.sh $(MANIFEST)

reset: ## start over with fresh local data
	rm -f .local/data.db .local/data.db-wal .local/data.db-shm

##@ Build

build: ## build the component for WASI 0.2 and for WASI 0.3, with a toolchain for them if there is none (SWAGGER_UI=folder: docs without a CDN)
	@$(step) "components" scripts/build-component.sh

# Cargo's choice of features depends on what it builds together; tests/contract/features.rs holds that it is the same for `make up`.
stack: ## build the local stack: bridge, built-in host
	@$(step) "local stack and tools$(if $(wildcard target/debug/soak),, (about three minutes the first time))" scripts/progress.sh cargo build --locked --workspace --bins

# Make does not look into the values, and the shell gets them as they are. A connection string stays out of the command line.
entity: stack ## add a table: NAME=color TABLE=Warehouse.Colors (FROM=…, DDL=file, COLUMNS='…', ONLY=get,list, ARGS='--set …', DRY_RUN=1), or TABLES='Sales.*', or bring NAME= up to date, or REMOVE=1
	@$(if $(value FROM),$(step) "driver for SQL Server" scripts/progress.sh cargo build --locked -p azure-sql-rest-cli --features database,:)
	@if [ -n "$$ENTITY_REMOVE" ]; then target/debug/azure-sql-rest entity remove "$$ENTITY_NAME" $(if $(value DRY_RUN),--dry-run); \
	elif [ -n "$$ENTITY_TABLES" ]; then target/debug/azure-sql-rest entity add-all "$$ENTITY_TABLES" $(if $(value DDL),--ddl "$$ENTITY_DDL") \
	  $(if $(value ONLY),--only "$$ENTITY_ONLY") $(if $(value DRY_RUN),--dry-run); \
	else target/debug/azure-sql-rest entity add "$$ENTITY_NAME" $(if $(value TABLE),--table "$$ENTITY_TABLE") $(if $(value DDL),--ddl "$$ENTITY_DDL") \
	  $(if $(value COLUMNS),--columns "$$ENTITY_COLUMNS") $(if $(value ONLY),--only "$$ENTITY_ONLY") --arguments "$$ENTITY_ARGS" $(if $(value DRY_RUN),--dry-run); fi
	@$(if $(value DRY_RUN),:,$(MAKE) --no-print-directory generate)

# Exported, make would look into them.
unexport NAME TABLE TABLES FROM DDL COLUMNS ONLY ARGS
entity: export ENTITY_NAME := $(value NAME)
entity: export ENTITY_TABLE := $(value TABLE)
entity: export ENTITY_TABLES := $(value TABLES)
entity: export ENTITY_FROM := $(value FROM)
entity: export ENTITY_DDL := $(value DDL)
entity: export ENTITY_COLUMNS := $(value COLUMNS)
entity: export ENTITY_ONLY := $(value ONLY)
entity: export ENTITY_ARGS := $(value ARGS)
entity: export ENTITY_REMOVE := $(value REMOVE)

generate: stack ## write what follows from src/lib.rs: DAB's entities, openapi.json
	target/debug/azure-sql-rest generate

pictures: ## draw docs/pictures/*.svg from the texts beside them, with Node.js
	@$(step) "pictures" sh -c 'scripts/npm.sh && node docs/pictures/render.mjs "$$PWD/.local/browser"'

site: ## the documents as a site, in .local/site-html (open index.html)
	@$(step) "site" sh -c 'scripts/venv.sh site -r site/requirements.txt && .local/site/bin/python site/build.py'

fmt: ## format the code
	cargo fmt --all

clean: ## remove everything that was built or downloaded for the project
	rm -rf target .local

##@ Check

# While one works: what needs no component and no server.
check: lint ## format, clippy, unit tests, contract, cases: what a change needs while one works (a minute)
	cargo test --locked --workspace --lib --bins --test contract --test bridge --test http

# A selection of the packages would have Cargo choose other features, and build the engine again. What starts a manifest runs with both.
test: lint lint-sql lint-deploy lint-docs build stack ## everything that must pass before a change lands (SPIN=/path/to/spin: on real Spin)
	tests/fuzz-api/run short
	target/debug/soak --requests 1500 --rate 150
	@$(MAKE) --no-print-directory test-sql
	@if [ -n "$(SPIN)" ] && ! "$(SPIN)" --version | grep -qE '^spin (4\.[1-9]|[5-9]|[1-9][0-9])'; then \
	  echo "  · SKIPPED: WASI 0.3 needs Spin 4.1 or later, so its build has not run on $$("$(SPIN)" --version)"; \
	else MANIFEST=spin.wasip3.toml cargo test --locked --workspace --test e2e; fi
	MANIFEST=spin.toml cargo test --locked --workspace --lib --bins --tests

test-template: build stack ## what compiles a project: that of the template, that of the page about tables, the same bytes elsewhere
	cargo test --locked --workspace --test e2e -- --ignored --test-threads 1 template:: own_entity:: artifact::

lint: ## format, clippy, the documentation of the library
	@$(step) "format" cargo fmt --all --check
	@$(step) "clippy" cargo clippy --quiet --locked --workspace --all-targets --features azure-sql-rest/wasip3,procedure-cases/sql-server -- -D warnings
	@$(step) "docs of the library" env RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --no-deps -p azure-sql-rest

lint-sql: ## sql/ through a T-SQL parser, DAB's configuration through its schema (SQL_LINT=skip leaves it out)
	@$(step) "T-SQL" scripts/lint-sql.sh

lint-deploy: ## manifests and workflows through their schemas, scripts through shellcheck, deployments against stubs
	@scripts/changed.sh deploy . ':!crates/*.rs' ':!tests/*.rs' ':!*.md' -- $(MAKE) --no-print-directory checks-of-deploy

checks-of-deploy:
	@$(step) "manifests, workflows, scripts" tests/deploy/run
	@$(step) "plan for Azure" deploy/azure/test/run
	@$(step) "plan for Akamai" deploy/akamai/test/run
	@$(step) "plan for azd" deploy/azd/test/run

lint-docs: ## links, commands, samples, language and site of the documents; the client programs
	@scripts/changed.sh documents . -- $(step) "documents" tests/docs/run

test-sql: ## the table of cases on a SQL Server (SQLSERVER_URL='Server=tcp:…;Database=<an empty one>;…')
ifdef SQLSERVER_URL
	cargo test --locked -p procedure-cases --features tls --lib --test sql_server -- --nocapture
else
	@echo "  · SKIPPED: SQLSERVER_URL is not set, so the cases have not run on a SQL Server"
endif

test-browser: build stack ## /docs and /problems in a headless Chromium; writes docs/*.png
	@$(step) "pages in a browser" tests/browser/run

##@ Under stress

test-pages: ## a million rows in pages beside a writer, on the local database (a minute)
	cargo test --locked --workspace --bins -- --ignored --nocapture a_million_rows

soak: build stack ## 50,000 requests while the bridge fails (six minutes); writes docs/resilience-report.md
	target/debug/soak --requests 50000 --report docs/resilience-report.md

outage: build stack ## outages of ten seconds and of a minute, in real time (four minutes); draws docs/pictures/outage.svg and overload.svg
	cargo test --locked --workspace --test e2e -- --ignored outage
	scripts/venv.sh bench -r bench/compare/requirements.txt && .local/bench/bin/python docs/pictures/outage.py && .local/bench/bin/python docs/pictures/overload.py

crowd: build stack ## 200 clients that are slow, stop half way or hang up; the memory of 200 that wait; two minutes without a database (seven minutes)
	@$(step) "bare proxy" scripts/build-component.sh bench/bare-proxy/$(notdir $(MANIFEST))
	cargo test --locked --workspace --test e2e -- --ignored --nocapture --test-threads 1 crowd

fuzz: ## the parsers under coverage-guided fuzzing, three million executions each (RUNS=…), with cargo-fuzz
	@command -v cargo-fuzz >/dev/null || $(step) "cargo-fuzz" cargo install --quiet --locked cargo-fuzz
	@for target in answer form if_match values; do \
	  $(step) "$$target" cargo fuzz run --sanitizer none "$$target" -- -runs=$(or $(RUNS),3000000) -max_len=256 -verbosity=0 -print_final_stats=1 || exit; \
	done

fuzz-api: build stack ## 5,000 requests and more made from openapi.json, every answer checked against it (five minutes)
	tests/fuzz-api/run full

##@ Measure

bench: build ## requests/s beside nginx, Flask and a bare proxy (sixteen minutes, at first twenty-five); writes docs/performance.md (LOCAL=…, SPIN=…)
	@LOCAL="$(LOCAL)" SPIN="$(SPIN)" bench/compare/run

cost: build stack ## what one request costs in the component: instructions, host calls, memory; writes bench/cost/table.md
	target/debug/cost --write
