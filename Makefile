# Every verb of the project; `make` alone lists them. Programs live in package.json and deploy/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:

# Compiled code of the programs that these verbs start, tests and their programs among them: each begins in half the time.
# The folder is that of deploy/local/program.ts.
export NODE_COMPILE_CACHE ?= $(CURDIR)/.run/compile-cache

RUN := npm run --silent
# Not by npm: it would not wait, at Ctrl-C, until everything is stopped.
MESH := node_modules/.bin/node deploy/local/main.ts
# Which mesh is asked, and where the edge is, is chosen on the command line of make only: names like PORT and NAMESPACE are exported for
# other programs, too. $(call chosen,NAME,option) is the option with the value, as it is, of a variable that was given there.
chosen = $(if $(filter command,$(origin $(1))),$(2) "$$$(1)")
# Nor this, which stops the run at Ctrl-C and waits for its end.
LAB = node_modules/.bin/node --disable-warning=ExperimentalWarning services/lab/cli.ts \
  $(call chosen,EDGE,--address) $(call chosen,NAMESPACE,--namespace)
BUF := node_modules/.bin/buf
FROM_CONTRACTS := $(addprefix charts/telltale/files/envoy/,telltale.binpb json-requests.lua json-paths.yaml)
# npm writes it at the end of an installation; newer than package-lock.json when that is what is installed.
INSTALLED := node_modules/.package-lock.json

ON_CLUSTER := node_modules/.bin/node deploy/cluster/main.ts
VERSION = $(shell awk '/^version:/ {print $$2}' charts/telltale/Chart.yaml)
IMAGE = telltale:$(VERSION)
NAMESPACE ?= telltale
# Values besides those of deploy/kind-values.yaml, as helm takes them: HELM_SET=observability.grafana.enabled=false,logLevel=debug
HELM_SET ?=

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

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
up: $(INSTALLED) ## run everything on this machine, without a cluster: http://localhost:8080, or make up [PORT=8081] [ADDRESS=127.0.0.2]
	@$(MESH) up $(call chosen,PORT,--port) $(call chosen,ADDRESS,--address)

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

.PHONY: lab
lab: $(INSTALLED) ## list the scenarios, as all verbs of the lab in what `make up` runs, else in the cluster: make lab [EDGE=host:port | NAMESPACE=telltale]
	@$(LAB) list

.PHONY: scenario
scenario: $(INSTALLED) ## run a scenario, several, or all, in what `make up` or the cluster runs: make scenario NAME=deadlines [SET='rate=50 seconds=2']
	@[ -n "$${NAME:-}" ] || { echo "usage: make scenario NAME=deadlines [SET='rate=50 seconds=2']; make lab lists the names" >&2; exit 2; }
	@read -ra names <<<"$$NAME"; set=(); for pair in $${SET:-}; do set+=(--set "$$pair"); done; $(LAB) run "$${names[@]}" "$${set[@]}"

.PHONY: prove
prove: $(INSTALLED) ## run all scenarios, and write what came of it to .run/proof/: make prove [TIMES=10]
	@$(LAB) prove $${TIMES:+--times "$$TIMES"}

.PHONY: check
check: $(INSTALLED) ## check format, types, contracts, generated files, the chart and what comes from others
	$(RUN) check:format
	$(RUN) check:types
	$(RUN) check:proto
	@$(MAKE) check-generated
	$(RUN) check:tiltfile
	$(RUN) check:chart
	$(RUN) check:observability
	$(RUN) check:supply

# Made from a copy, so that the check changes nothing and does not ask what git knows.
.PHONY: check-generated
check-generated: $(INSTALLED)
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	mkdir -p "$$copy/$(dir $(firstword $(FROM_CONTRACTS)))"; \
	cp -r package.json buf.yaml buf.gen.yaml proto "$$copy"; ln -s "$(CURDIR)/node_modules" "$(CURDIR)/deploy" "$$copy"; \
	(cd "$$copy"; $(RUN) generate); \
	diff -r "$$copy/proto/gen" proto/gen && $(foreach file,$(FROM_CONTRACTS),cmp "$$copy/$(file)" $(file) &&) true || \
	  { echo 'generated files differ from what the contracts make: run make generate' >&2; exit 1; }

.PHONY: format
format: $(INSTALLED) ## format the sources and the contracts
	$(RUN) format
	$(BUF) format --write

.PHONY: generate
generate: $(INSTALLED) ## make what is generated: code and descriptors from the contracts, dashboards and rules
	$(RUN) generate
	$(RUN) generate:observability

.PHONY: bench-telemetry
bench-telemetry: $(INSTALLED) ## measure what metrics and traces cost a server
	@node_modules/.bin/node deploy/bench/telemetry-bench.ts

.PHONY: bench-hops
bench-hops: $(INSTALLED) ## measure what Envoys and mTLS on the way cost a call
	@node_modules/.bin/node deploy/bench/hops-bench.ts

.PHONY: bench-records
bench-records: $(INSTALLED) ## measure what the record of a marked call costs it
	@node_modules/.bin/node deploy/bench/records-bench.ts

.PHONY: baseline
baseline: $(INSTALLED) ## accept the contracts as they are: what `make check` calls breaking is measured against this
	$(BUF) build proto --exclude-source-info -o proto/baseline.binpb

.PHONY: sbom
sbom: $(INSTALLED) ## list the packages that the image gets, as CycloneDX: sbom.cdx.json
	node_modules/.bin/node deploy/supply/sbom.ts >sbom.cdx.json

.PHONY: test
test: $(INSTALLED) ## run all tests
	$(RUN) test

.PHONY: soak
soak: $(INSTALLED) ## run the tests that take minutes each and are not in make test
	$(RUN) test:soak

# The cluster that kubectl points at is used when it is a local one, or when CLUSTER names its context.
.PHONY: cluster
cluster: $(INSTALLED) ## make a cluster on this machine with kind, unless it is there
	@$(ON_CLUSTER) need docker kind
	@if grep -qx telltale <<<"$$(kind get clusters 2>/dev/null)"; then kind export kubeconfig --name telltale; \
	  else $(ON_CLUSTER) room; kind create cluster --config deploy/kind.yaml --wait 2m; fi

.PHONY: images
images: $(INSTALLED) ## build the image and bring it to the cluster
	@$(ON_CLUSTER) need docker kubectl
	DOCKER_BUILDKIT=1 docker build --file deploy/Dockerfile --tag $(IMAGE) --build-arg VERSION=$(VERSION) \
	  --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) .
	@$(ON_CLUSTER) load $(IMAGE) >/dev/null

# By force where Helm knows it: Helm 4 would refuse a number of pods that a scenario, or kubectl, has set meanwhile.
.PHONY: install
install: $(INSTALLED) ## install into the cluster, or upgrade: http://localhost:8080
	@$(ON_CLUSTER) need kubectl helm docker
	sed 's/name: telltale/name: $(NAMESPACE)/' deploy/namespace.yaml | kubectl apply -f -
	tag=$$($(ON_CLUSTER) load $(IMAGE)); force=$$(helm upgrade --help | grep -o -- --force-conflicts || true); \
	helm upgrade --install telltale charts/telltale --namespace $(NAMESPACE) $$force \
	  --values deploy/kind-values.yaml --set image.tag="$$tag" $(if $(HELM_SET),--set '$(HELM_SET)') --wait --timeout 5m

.PHONY: e2e
e2e: $(INSTALLED) ## run the checks of the cluster on what is installed there
	@$(ON_CLUSTER) need kubectl helm docker
	NAMESPACE=$(NAMESPACE) node_modules/.bin/node --import ./deploy/testing-preload.ts --test --test-concurrency=1 'deploy/e2e/**/*.test.ts'

.PHONY: e2e-soak
e2e-soak: $(INSTALLED) ## run those of the cluster that take minutes each and are not in make e2e
	@$(ON_CLUSTER) need kubectl helm docker
	NAMESPACE=$(NAMESPACE) node_modules/.bin/node --import ./deploy/testing-preload.ts --test --test-concurrency=1 'deploy/e2e/**/*.soak.ts'

# It is owned by the CronJob that it is like, and goes with it.
.PHONY: new-authority
new-authority: $(INSTALLED) ## begin to replace who vouches for the pods of the cluster; the issuer brings it to its end in two days
	@$(ON_CLUSTER) need kubectl
	kubectl -n $(NAMESPACE) create job "issuer-$$(date +%s)" --from=cronjob/issuer --dry-run=client --output=yaml | \
	  kubectl set env --local --filename=- TELLTALE_NEW_AUTHORITY=true --output=yaml | kubectl apply -f -

.PHONY: uninstall
uninstall: $(INSTALLED) ## remove from the cluster what was installed; the database's volume and password stay
	@$(ON_CLUSTER) need kubectl helm
	helm uninstall telltale --namespace $(NAMESPACE) --ignore-not-found --cascade foreground --wait

.PHONY: tilt-ci
tilt-ci: $(INSTALLED) ## install with Tilt and wait until all is ready; `tilt up` also follows edits
	@$(ON_CLUSTER) need docker helm kubectl tilt
	NAMESPACE=$(NAMESPACE) HELM_SET='$(HELM_SET)' tilt ci

.PHONY: cluster-down
cluster-down: $(INSTALLED) ## remove the cluster that make cluster has made
	@$(ON_CLUSTER) need docker kind
	kind delete cluster --name telltale

.PHONY: clean
clean: ## stop everything and remove what was made: data, logs, tools, packages
	@if [ -d node_modules ]; then $(MESH) down; fi
	rm -rf .run .tools node_modules sbom.cdx.json
