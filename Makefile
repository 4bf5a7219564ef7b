# Every verb of the project; `make` alone lists them. Programs live in package.json and deploy/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:

RUN := npm run --silent
# Not by npm: it would not wait, at Ctrl-C, until everything is stopped.
MESH := node_modules/.bin/node deploy/local/main.ts
BUF := node_modules/.bin/buf
DESCRIPTORS := charts/telltale/files/envoy/telltale.binpb
# npm writes it at the end of an installation; newer than package-lock.json when that is what is installed.
INSTALLED := node_modules/.package-lock.json

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: $(INSTALLED) ## install the packages that package-lock.json names (the other verbs do it when needed)

$(INSTALLED): package-lock.json
	@major=$$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0); \
	if ! command -v npm >/dev/null || [ "$$major" -lt 20 ]; then \
	  echo 'Node.js 20 or later and its npm are needed: https://nodejs.org/ (the services themselves run on the Node 26 that npm installs)' >&2; \
	  exit 1; \
	fi
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@if ! node_modules/.bin/node --version >/dev/null 2>&1; then \
	  echo "there is no Node 26 package for this machine ($$(uname -sm)): use Linux or macOS on x64 or arm64, npm without --omit=optional" >&2; \
	  exit 1; \
	fi
	@touch $@

.PHONY: up
up: $(INSTALLED) ## run everything on this machine, without a cluster: http://localhost:8080
	@$(MESH) up

.PHONY: down
down: $(INSTALLED) ## stop everything
	@$(MESH) down

.PHONY: status
status: $(INSTALLED) ## show the pods
	@$(MESH) status

.PHONY: logs
logs: $(INSTALLED) ## follow the logs: make logs [SERVICE=users]
	@$(MESH) logs --follow $${SERVICE:+"$$SERVICE"}

.PHONY: restart
restart: $(INSTALLED) ## replace the pods of a service: make restart SERVICE=users
	@[ -n "$${SERVICE:-}" ] || { echo 'usage: make restart SERVICE=users' >&2; exit 2; }
	@$(MESH) restart "$$SERVICE"

.PHONY: scale
scale: $(INSTALLED) ## change the number of pods of a service: make scale SERVICE=users N=3
	@[ -n "$${SERVICE:-}" ] && [ -n "$${N:-}" ] || { echo 'usage: make scale SERVICE=users N=3' >&2; exit 2; }
	@$(MESH) scale "$$SERVICE" "$$N"

.PHONY: check
check: $(INSTALLED) ## check format, types, contracts, generated files and the chart
	$(RUN) check:format
	$(RUN) check:types
	$(RUN) check:proto
	@$(MAKE) check-generated
	$(RUN) check:chart

# Made from a copy, so that the check changes nothing and does not ask what git knows.
.PHONY: check-generated
check-generated: $(INSTALLED)
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	mkdir -p "$$copy/$(dir $(DESCRIPTORS))"; \
	cp -r package.json buf.yaml buf.gen.yaml proto "$$copy"; ln -s "$(CURDIR)/node_modules" "$$copy"; \
	(cd "$$copy"; $(RUN) generate); \
	diff -r "$$copy/proto/gen" proto/gen && cmp "$$copy/$(DESCRIPTORS)" $(DESCRIPTORS) || \
	  { echo 'generated files differ from what the contracts make: run make generate' >&2; exit 1; }

.PHONY: format
format: $(INSTALLED) ## format the sources and the contracts
	$(RUN) format
	$(BUF) format --write

.PHONY: generate
generate: $(INSTALLED) ## make the code and the descriptors from the contracts
	$(RUN) generate

.PHONY: baseline
baseline: $(INSTALLED) ## accept the contracts as they are: what `make check` calls breaking is measured against this
	$(BUF) build proto --exclude-source-info -o proto/baseline.binpb

.PHONY: test
test: $(INSTALLED) ## run all tests
	$(RUN) test

.PHONY: clean
clean: ## stop everything and remove what was made: data, logs, tools, packages
	@if [ -d node_modules ]; then $(MESH) down; fi
	rm -rf .run .tools node_modules
