# The verbs of this project; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CARGO := cargo
MANIFEST := --manifest-path dataplane/Cargo.toml --locked
# Versions are pinned once, for every way of installing.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
# pyo3 would otherwise look for a libpython to link against.
export PYO3_BUILD_EXTENSION_MODULE := 1
RUST_SOURCES := $(shell find dataplane -name '*.rs' -not -path '*/target/*' -not -path 'dataplane/fuzz/*' -not -path 'dataplane/bench/*') $(wildcard dataplane/Cargo.* dataplane/*/Cargo.toml)

.PHONY: help run build test check fmt bench bench-table bench-curves bench-micro cases instructions \
  instructions-baseline differential scenarios steering fuzz docs image clean

help:  ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build  ## set everything up and serve the example site on 127.0.0.1:5353
	@exec $(BIN)/python deploy/example/run.py

build: $(VENV)/.built geo_fixtures/build/city.mmdb  ## set everything up; leaves .venv/bin/gslb
	@# Where starts may not write bytecode (PYTHONDONTWRITEBYTECODE), each would compile all of it anew.
	@$(BIN)/python -m compileall -q gslb

$(VENV)/.python: constraints.txt
	@command -v cargo >/dev/null || { echo "make: cargo is missing: install Rust 1.88 or newer (rustup.rs, or your distribution)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11: set PYTHON=python3.11 or newer" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "make: no virtual environment: install python3-venv" >&2; exit 1; }
	$(BIN)/pip install --quiet maturin
	@touch $@

$(VENV)/.built: $(VENV)/.python pyproject.toml $(RUST_SOURCES)
	$(BIN)/maturin develop --release --locked --extras dev
	@touch $@

geo_fixtures/build/city.mmdb: $(VENV)/.built $(wildcard geo_fixtures/*)
	$(BIN)/python geo_fixtures/build.py
	@touch $@

test: build  ## set everything up and run every test, Rust and Python
	$(CARGO) test $(MANIFEST) -p gslb-core
	$(BIN)/python -m pytest

check: build  ## formatting, lints, types, and the native module against its declaration
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest gslb._dataplane
	$(CARGO) fmt --manifest-path dataplane/Cargo.toml --all --check
	$(CARGO) clippy $(MANIFEST) --workspace --all-targets -- -D warnings

fmt: build  ## format everything
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(CARGO) fmt --manifest-path dataplane/Cargo.toml --all

bench: build  ## measure beside the peers that are installed (see bench/README.md)
	$(BIN)/python bench/run.py

bench-table: build  ## measure all that there are goals for, beside the peers, with a verdict for each
	$(BIN)/python bench/table.py

bench-curves: $(VENV)/.bench  ## measure how cost grows, and plot it into docs/scaling
	$(BIN)/python bench/curves.py

$(VENV)/.bench: $(VENV)/.built
	$(BIN)/maturin develop --release --locked --extras dev,bench
	@touch $@

CASES ?=
bench-micro:  ## time each step of an answer; of those that match a regular expression by CASES=find/
	$(CARGO) bench $(MANIFEST) -p gslb-bench --bench cases -- '$(CASES)'

cases:
	$(CARGO) build $(MANIFEST) --release -p gslb-bench --bin cases

instructions: cases  ## count instructions and allocations of each step of an answer, against those stored
	$(PYTHON) bench/instructions.py

instructions-baseline: cases  ## store the instructions of each step as they are now
	$(PYTHON) bench/instructions.py --renew

FUZZ_SECONDS ?= 60
FUZZ_TARGETS := query answer zonefile update
FUZZ_FLAGS ?=
# cargo-fuzz uses unstable flags of the compiler that every stable toolchain knows.
fuzz: export RUSTC_BOOTSTRAP := 1
fuzz:  ## run each fuzz target for FUZZ_SECONDS (see dataplane/fuzz/README.md)
	@cargo fuzz --version >/dev/null 2>&1 || { echo "make: cargo-fuzz is missing: cargo install cargo-fuzz --locked" >&2; exit 1; }
	@set -e; cd dataplane; for target in $(FUZZ_TARGETS); do \
	  mkdir -p fuzz/work/$$target; \
	  dictionary=fuzz/dictionaries/$$target.dict; \
	  cargo fuzz run $(FUZZ_FLAGS) $$target fuzz/work/$$target fuzz/corpus/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
	    $$(test ! -f $$dictionary || echo -dict=$$dictionary); \
	done

differential: build  ## ask NSD, Knot and BIND the same 100,000 queries as us, and report what differs
	$(BIN)/python -m tests.differential --zones 100 --queries 1000

scenarios: build  ## hold reader and engine against dnspython and the oracle on 5,000 new examples each
	GSLB_EXAMPLES=5000 $(BIN)/python -m pytest tests/scenarios

STEERING_CASES ?= 1000000
STEERING_SEED ?= 1
steering: build  ## hold 1,000,000 steering decisions against a slow and obvious reference
	$(BIN)/python -m tests.scenarios.steering --cases $(STEERING_CASES) --seed $(STEERING_SEED)

docs: build  ## build the Rust API pages, and hold the documents against the code
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(MANIFEST) -p gslb-core --no-deps --quiet
	$(BIN)/python -m pytest tests/unit/test_docs.py

image:  ## build the container image
	docker build --tag gslb .

clean:  ## remove what was built
	rm -rf $(VENV) dataplane/target geo_fixtures/build bench/work
	rm -f gslb/_dataplane*.so
