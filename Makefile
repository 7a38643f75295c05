# What one does with this repository. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help swift deps deps-test build run test test-other-libcurl outside docs snippets api api-baseline words fault-storm verify lint dashboards situations other-prometheus build-without-traits format sanitize bench bench-endpoint bench-instructions soak clean

# Debian packages: what the build needs, and the real programs that the tests ask.
BUILD_PACKAGES := libbrotli-dev libcurl4-openssl-dev libidn2-dev libzstd-dev pkg-config zlib1g-dev
TEST_PACKAGES := brotli chromium curl nginx openssl procps prometheus python3 python3-venv tinyproxy tmux zstd
BENCH_PACKAGES := gcc golang-github-prometheus-client-golang-dev golang-go nginx openssl python3-venv wrk
INSTRUCTIONS_PACKAGES := binutils nginx openssl python3 valgrind
SOAK_PACKAGES := nginx openssl python3
SITUATIONS_PACKAGES := chromium openssl prometheus prometheus-alertmanager python3
DOCS_PACKAGES := python3

FORMATTED := Package.swift Sources Tests Examples/Adapter/Package.swift Examples/Adapter/Sources Examples/Adapter/Tests

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

swift:
	@command -v swift >/dev/null || { echo "swift is not on the PATH; install Swift 6.3 or newer: https://www.swift.org/install" >&2; exit 1; }

deps: swift ## Install what the build needs, where it is missing
	@packages="$(BUILD_PACKAGES)"; $(INSTALL_MISSING)

deps-test: ## Install the programs that the tests ask, where they are missing
	@packages="$(TEST_PACKAGES)"; $(INSTALL_MISSING)
	@$(MAKE) --no-print-directory $(TEST_VENV)/installed

# What the tests ask of Python, in an environment of its own; made anew when the list changes.
TEST_VENV := Tests/Python/.venv
$(TEST_VENV)/installed: Tests/Python/requirements.txt
	python3 -m venv --clear $(TEST_VENV)
	$(TEST_VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

build: deps ## Build everything for debugging
	swift build

run: deps ## Build for release and run `poolscope run $(ARGS)`
	swift build -c release --product poolscope
	@exec "$$(swift build -c release --show-bin-path)/poolscope" run $(ARGS)

# A storm takes every core it can get and counts descriptors, the tests of scale measure the whole process, and random
# sequences compute for long, so each kind has a run of its own. The others run one after the other: on two cores, hundreds
# at once would wait for each other longer than for their peers.
COMPUTING := RandomSequenceTests|RequestFuzzTests|HeaderBlockTests|CostTests
# Whatever libcurl can change is tested with the newer one of the distribution's backports as well, which is unpacked beside
# the system's and loaded in its place.
BY_LIBCURL := StormTests|IncidentTests|PoolEndpointTLSTests|ScaleTests|$(COMPUTING)|HTTPPoolTests|PoolMetricsTests|PoolMetricsBridgeTests|PoolEndpointTests|PoolPagesTests|PoolTestingTests|HTTPRetryTests|UnpackingTests|ToolTests|ConfigCommandTests|PrometheusTests|PoolDecisionsTests|CheckTests|StatusAddressTests|TopCommandTests|TopScreenTests|TopStateTests
test-other-libcurl: export STORM_SECONDS ?= 25
test-other-libcurl: export FAULT_STORM_SECONDS ?= 20
test-other-libcurl: deps deps-test ## Run the tests against another version of libcurl
	swift build --build-tests
	export LD_LIBRARY_PATH="$$(Tests/OtherVersions/libcurl.sh)"; \
	swift test --skip-build --no-parallel --skip '$(BY_LIBCURL)'; \
	swift test --skip-build --filter PoolStormTests; \
	swift test --skip-build --filter FaultStormTests

test: deps deps-test ## Build and run all tests, against both versions of libcurl
	swift build --build-tests
	swift test --skip-build --no-parallel --skip 'StormTests|ScaleTests|$(COMPUTING)'
	swift test --skip-build --filter '$(COMPUTING)'
	swift test --skip-build --filter PoolStormTests
	swift test --skip-build --filter FaultStormTests
	swift test --skip-build --filter ScaleTests
	$(MAKE) test-other-libcurl

outside: deps ## Test a package outside this one that measures a client of its own, through public modules only
	swift test --package-path Examples/Adapter

docs: deps ## Build the documentation into .build/docs; a warning is an error
	@packages="$(DOCS_PACKAGES)"; $(INSTALL_MISSING)
	python3 scripts/docs.py

snippets: deps ## Compile every snippet of the README and the documentation
	@packages="$(DOCS_PACKAGES)"; $(INSTALL_MISSING)
	python3 scripts/snippets.py

api: deps ## Fail where the public API differs from api/
	@packages="$(DOCS_PACKAGES)"; $(INSTALL_MISSING)
	python3 scripts/api.py

api-baseline: deps ## Write the public API to api/, after a change that CHANGELOG.md describes
	@packages="$(DOCS_PACKAGES)"; $(INSTALL_MISSING)
	python3 scripts/api.py --renew

words: ## Fail where the documentation or the sources use a word that CONTRIBUTING.md asks to avoid
	@packages="$(DOCS_PACKAGES)"; $(INSTALL_MISSING)
	python3 scripts/words.py

fault-storm: export FAULT_STORM_SECONDS ?= 600
fault-storm: deps deps-test ## Send through every fault of a server for ten minutes, or FAULT_STORM_SECONDS
	swift build --build-tests
	swift test --skip-build --filter FaultStormTests

verify: lint words build-without-traits test ## What a change must pass: formatting, words, both builds without a warning, all tests

dashboards: ## Write the rules and boards that dashboards/source describes
	@packages="$(DOCS_PACKAGES)"; $(INSTALL_MISSING)
	python3 dashboards/generate.py

situations: deps ## Fail where other alerts fire than dashboards/situations.md says. ARGS=--write writes it; eleven minutes
	@packages="$(SITUATIONS_PACKAGES)"; $(INSTALL_MISSING)
	swift build --product poolscope
	python3 Tests/Situations/run.py --poolscope "$$(swift build --show-bin-path)/poolscope" $(ARGS)

# The first time, unstable's programs are unpacked beside the system's.
other-prometheus: deps ## Test alerts and situations with the newest Prometheus and Alertmanager of the distribution
	@packages="$(SITUATIONS_PACKAGES)"; $(INSTALL_MISSING)
	export PATH="$$(Tests/OtherVersions/prometheus.sh):$$PATH"; \
	python3 dashboards/generate.py --test; \
	$(MAKE) situations

lint: swift ## Fail where the sources are not formatted as .swift-format says, or import what is not declared
	@packages="$(DOCS_PACKAGES)"; $(INSTALL_MISSING)
	swift format lint --strict --recursive $(FORMATTED)
	python3 scripts/imports.py

# The trait brings files of settings; the tool depends on every module that asks for it. In a scratch path of its own: the trait
# changes a dependency of all modules, and the next build would begin anew.
build-without-traits: deps ## Build the tool without the trait ConfigurationFiles
	swift build --disable-default-traits --product poolscope --scratch-path .build-without-traits

format: swift ## Format the sources in place
	swift format --in-place --recursive $(FORMATTED)

# The storms run for STORM_SECONDS and FAULT_STORM_SECONDS under each sanitizer.
sanitize: export STORM_SECONDS ?= 60
sanitize: export FAULT_STORM_SECONDS ?= 60
sanitize: deps deps-test ## Run the storms under the thread and the address sanitizer
	swift build --build-tests --sanitize=thread --scratch-path .build-tsan
	clang -O1 -shared -fPIC -o .build-tsan/mutex.so Tests/Sanitizers/mutex.c -ldl
	for storm in PoolStormTests FaultStormTests; do \
	    LD_PRELOAD=$(CURDIR)/.build-tsan/mutex.so swift test --skip-build --disable-xctest --sanitize=thread --scratch-path .build-tsan --filter $$storm; \
	done
	swift build --build-tests --sanitize=address --scratch-path .build-asan
	for storm in PoolStormTests FaultStormTests; do \
	    LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/Sanitizers/leaks.txt swift test --skip-build --disable-xctest --sanitize=address --scratch-path .build-asan --filter $$storm; \
	done

bench: deps ## Measure against other clients; writes Benchmarks/RESULTS.md and cpu.png. ARGS=--quick only tries it
	@packages="$(BENCH_PACKAGES)"; $(INSTALL_MISSING)
	python3 -m venv Benchmarks/.venv
	Benchmarks/.venv/bin/pip install --quiet --requirement Benchmarks/Python/requirements.txt
	Benchmarks/.venv/bin/python Benchmarks/run.py $(ARGS)

bench-endpoint: deps ## Measure scrapes at rest and under attack, beside promhttp; writes Benchmarks/ENDPOINT.md
	@packages="$(BENCH_PACKAGES)"; $(INSTALL_MISSING)
	python3 Benchmarks/endpoint.py

bench-instructions: deps ## Fail where a request takes more instructions than committed. ARGS=--update commits anew
	@packages="$(INSTRUCTIONS_PACKAGES)"; $(INSTALL_MISSING)
	python3 Benchmarks/instructions.py $(ARGS)

soak: SOAK_SECONDS ?= 3600
soak: deps ## Run mixed load for an hour, or SOAK_SECONDS, and fail where memory or descriptors grow
	@packages="$(SOAK_PACKAGES)"; $(INSTALL_MISSING)
	python3 Benchmarks/soak.py --seconds $(SOAK_SECONDS)

clean: ## Remove everything that was built
	rm -rf .build .build-*

# Installs those of $packages that are not installed, as root or by a sudo that does not ask.
define INSTALL_MISSING
missing=""; \
for package in $$packages; do \
    dpkg-query --show --showformat='$${db:Status-Status}' "$$package" 2>/dev/null | grep -qx installed \
        || missing="$$missing $$package"; \
done; \
if [ -z "$$missing" ]; then exit 0; fi; \
if [ "$$(id -u)" = 0 ]; then as_root=""; \
elif sudo -n true 2>/dev/null; then as_root="sudo -n"; \
else \
    echo "missing:$$missing" >&2; \
    echo "run: sudo apt-get update && sudo apt-get install --no-install-recommends$$missing" >&2; \
    exit 1; \
fi; \
$$as_root bash -c "$$APT_INSTALL" apt-install $$missing
endef

# Debian starts the daemons that it installs. The tests start their own, so a policy forbids it for the moment, unless
# the machine has a policy already.
define APT_INSTALL
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $$policy ]; then
    trap "rm -f $$policy" EXIT
    printf '#!/bin/sh\nexit 101\n' >$$policy
    chmod 755 $$policy
fi
apt-get update
apt-get install --yes --no-install-recommends "$$@"
endef
export APT_INSTALL
