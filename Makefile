# Everything that one does with this repository. Needs Linux, Rust, Go, gcc and make; what else is missing is fetched.
# Two sets of build flags and no third, because every set compiles the dependencies once more:
#   dev        what the tests and the linter use (target/debug)
#   shipped    release, static: the image, `make run`, the simulation and the benchmark (target/$(HOST)/release)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

CARGO ?= cargo
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
# Fully static with glibc. Proc macros can't be, hence flags for a named target, which don't reach what runs at build time.
STATIC := --target $(HOST) --config 'target.$(HOST).rustflags=["-Ctarget-feature=+crt-static", "-Clink-arg=-Wl,-z,pack-relative-relocs"]'
SHIPPED := target/$(HOST)/release

# Peers and tools that are built once live outside of the repository, so that a fresh clone finds them.
export TESTBED_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/alertmanager-operator-testbed
export TESTBED_BIN ?= $(TESTBED_CACHE)/bin

IMAGE := localhost/alertmanager-operator:dev
IMAGE_TAR := target/image/alertmanager-operator.tar
CA_ROOTS := /etc/ssl/certs/ca-certificates.crt

.PHONY: help run test test-fast test-ui ui fmt fmt-check lint deny docs crds image bench bench-cluster bench-operator cluster-test fuzz sim kube-up kube-down kube-test \
  packages peers peers-fast peers-names peers-begin sim-begin sim-end

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build, and run the cluster of config/samples on loopback, without Kubernetes
	$(CARGO) run --release $(STATIC) -- local config/samples

test: fmt-check peers-begin lint deny docs test-fast test-ui cluster-test sim-begin kube-test sim-end ## everything, unattended, on a real Kubernetes node too (as root; builds what is missing)

test-fast: packages peers-fast ## all tests that need no Kubernetes
	$(CARGO) test --workspace --no-fail-fast

test-ui: packages ## the page in a real browser, and that its bundle is what its sources give
	$(CARGO) build
	tests/ui/run.sh

ui: packages ## bundle the page anew, from src/ui/app into src/ui/dist
	cd src/ui/app && PATH="$$(../../../tests/tools/node.sh):$$PATH" && npm ci --no-audit --no-fund --silent && npm run --silent check && npm run --silent build

kube-test: peers image ## the tests on a real node: brings it up, and down again unless it was up
	$(CARGO) test --workspace --test kube --no-run
	tests/kube/with-node.sh $(CARGO) test --workspace --test kube -- --test-threads=1 --nocapture

sim: ## 10,000 seeds of the simulation: nothing lost, nothing twice without faults
	$(CARGO) run --release $(STATIC) -p sim -- --seeds 10000
	for seed in 12460 16772 38106 59499 59764 76455; do $(SHIPPED)/sim --seed $$seed; done # what broke beyond those

# Tests wait for others most of the time. What only needs to compute is done meanwhile, with what they leave of the CPU:
# the test bed is built, and the simulation runs beside the node.
IDLE := chrt --idle 0
peers-begin: packages peers-fast peers-names
	mkdir -p target
	$(IDLE) tests/kube/build.sh >target/peers.log 2>&1 & # `peers` waits for it, and tells what it could not build

sim-begin:
	$(CARGO) build --release $(STATIC) -p sim
	rm -f target/sim.status
	{ $(IDLE) $(MAKE) --no-print-directory sim >target/sim.log 2>&1 && echo passed >target/sim.status; } & echo $$! >target/sim.pid

sim-end: sim-begin
	while kill -0 "$$(cat target/sim.pid)" 2>/dev/null; do sleep 1; done
	tail -n 12 target/sim.log
	[ -s target/sim.status ]

fuzz: ## six fuzz targets, SECONDS=60 each; needs a nightly compiler and cargo-fuzz
	for target in config matchers bodies snapshots gossip templates; do \
	  (cd tests/fuzz && $(CARGO) +nightly fuzz run --fuzz-dir . -O $$target -- -max_total_time=$(or $(SECONDS),60)) || exit 1; done

bench: peers-fast ## ours beside the Go Alertmanager, as ratios from one run
	$(CARGO) build --release $(STATIC)
	$(CARGO) run --release $(STATIC) -p bench

bench-cluster: packages peers-fast peers-names ## clusters of ours beside those of the Go Alertmanager, with faults and without (as root)
	$(CARGO) build --release $(STATIC)
	$(CARGO) build --release $(STATIC) -p bench
	unshare --net $(SHIPPED)/bench --cluster

bench-operator: packages ## our operator beside prometheus-operator: CLUSTERS=100 on an API server alone
	tests/kube/build.sh etcd kube-apiserver kubectl prometheus-operator
	$(CARGO) build --release $(STATIC)
	$(CARGO) build --release $(STATIC) -p bench
	$(SHIPPED)/bench --operator $(or $(CLUSTERS),100)

cluster-test: packages peers-names ## clusters of real processes through kills, cuts, losses and rolling restarts (as root)
	$(CARGO) build --release $(STATIC)
	$(CARGO) build --release $(STATIC) -p bench
	unshare --net $(SHIPPED)/bench --cluster --quick --ours-only

fmt: ## format the sources
	$(CARGO) fmt --all

fmt-check:
	$(CARGO) fmt --all --check

lint: ## clippy on all targets, warnings are errors
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --workspace --test kube -- -D warnings

# Advisories are left out: their database is a git repository on GitHub, and the machines that run this reach package
# registries only. Where GitHub can be reached: `cargo deny --config .deny.toml check advisories`.
deny: ## licences, banned and doubled crates, sources of crates
	"$$(tests/tools/cargo-deny.sh)" --config .deny.toml check --hide-inclusion-graph licenses bans sources

docs: ## the API documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

crds: ## write crds/ anew from the Rust types
	mkdir -p crds
	$(CARGO) run --quiet -- crd > target/crd.yaml
	mv target/crd.yaml crds/alertmanagerclusters.yaml
	cp crds/alertmanagerclusters.yaml charts/alertmanager-operator/files/

image: ## an OCI archive with the static binary, at target/image/alertmanager-operator.tar
	$(CARGO) build --release $(STATIC)
	@[ -s $(CA_ROOTS) ] || echo "no $(CA_ROOTS) here: the image will trust no HTTPS receiver" >&2
	mkdir -p $(dir $(IMAGE_TAR))
	tests/kube/node/mkimage.sh $(IMAGE_TAR) $(IMAGE) 65532:65532 '["/alertmanager-operator"]' \
	  $(SHIPPED)/alertmanager-operator=/alertmanager-operator $(if $(wildcard $(CA_ROOTS)),$(CA_ROOTS)=$(CA_ROOTS))
	@ls -l $(IMAGE_TAR)

kube-up: peers image ## a real single-node Kubernetes with our image in it
	tests/kube/node/up.sh
	tests/kube/node/load.sh $(IMAGE_TAR)

kube-down: ## take that node down, with all it left
	tests/kube/node/down.sh

# Debian packages and Go programs the tests run against.
packages:
	@tests/tools/packages.sh

peers: packages
	@tests/kube/build.sh

peers-names:
	@tests/kube/build.sh coredns

peers-fast:
	@tests/kube/build.sh alertmanager amtool compat-peer versitygw
