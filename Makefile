# Every check of this project by one name; `.ci/run` and people call the same targets.
# Run inside a virtual environment (see README.md), or say PYTHON=path/to/python.

PYTHON ?= python3
CARGO ?= cargo
# The core without Python: what must build and test on a machine that has none.
LEAN = --no-default-features
# The same with the grammars and every source. Not the default features: those link against Python.
FULL = --no-default-features --features outline,notify-source
# The hand-overs between threads inside loom's model checker, and nothing else of the core.
LOOM = $(LEAN) --features loom --test loom
RUST_ENV = CARGO_TERM_COLOR=$(or $(CARGO_TERM_COLOR),auto)

# Files of tests side by side; `make test PYTEST_JOBS=` runs one after the other.
PYTEST_JOBS ?= -n auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install build format lint types stubs test test-rust test-python golden bench bench-full bench-parts rustdoc docs references site all clean

help: ## Say what each target does
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## Install Currant, editable, with everything its checks need
	$(PYTHON) -m pip install -e '.[dev]'

build: ## Build the native module again after a change in rust/
	$(PYTHON) -m maturin develop --release

format: ## Rewrite the sources in the house format
	$(PYTHON) -m ruff check --fix-only --quiet python tests tools $(wildcard benches)
	$(PYTHON) -m ruff format python tests tools $(wildcard benches)
	$(CARGO) fmt

rustdoc: ## Build the documentation of the core; a warning, such as a broken link, is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps $(FULL)

lint: rustdoc ## Check style: ruff, rustfmt, clippy (with and without Python), links in Rust's documentation
	$(PYTHON) -m ruff check python tests tools $(wildcard benches)
	$(PYTHON) -m ruff format --check python tests tools $(wildcard benches)
	$(CARGO) fmt --check
	$(RUST_ENV) $(CARGO) clippy --all-targets $(LEAN) -- -D warnings
	$(RUST_ENV) $(CARGO) clippy $(LOOM) -- -D warnings
	$(RUST_ENV) $(CARGO) clippy --all-targets -- -D warnings

types: stubs ## Check types: mypy --strict, a user's program, and the stub against the binary
	$(PYTHON) -m mypy --strict
	$(PYTHON) -m mypy --strict tests/typed_user.py

stubs: ## Compare _core.pyi with the native module that is installed
	$(PYTHON) -m mypy.stubtest currant._core --mypy-config-file pyproject.toml \
		--allowlist tests/stubtest-allowlist.txt --ignore-unused-allowlist

test: ## Run every test: the core with its grammars, then Python
	$(RUST_ENV) $(CARGO) test $(FULL)
	$(RUST_ENV) $(CARGO) test $(LOOM)
	$(PYTHON) -m pytest $(PYTEST_JOBS)

test-rust: ## Run the tests of the core alone: quick, needs no Python
	$(RUST_ENV) $(CARGO) test $(LEAN)
	$(RUST_ENV) $(CARGO) test $(LOOM)

test-python: ## Run the tests of the Python layer alone
	$(PYTHON) -m pytest $(PYTEST_JOBS)

golden: ## Write the expected definitions of tests/golden anew; read the difference
	REWRITE_GOLDEN=1 $(PYTHON) -m pytest -q tests/test_golden.py

bench: ## Measure beside rivals, the short form: under five minutes, on Python's standard library
	$(PYTHON) benches/run.py $(BENCH)

bench-full: ## The same with large trees, and every other measurement: `make bench-full CURRANT_BENCH_KERNEL=DIR`
	CURRANT_BENCH_KERNEL=$(CURRANT_BENCH_KERNEL) $(PYTHON) benches/run.py --full $(BENCH)
	$(MAKE) bench-parts
	@for bench in $(wildcard benches/bench_*.py); do \
		echo "== $$bench"; $(PYTHON) "$$bench" || exit 1; done

bench-parts: ## Measure the parts: the core's hand-over, then pytest-benchmark
	$(CARGO) run --release $(LEAN) --example handover
	$(PYTHON) -m pytest -q benches --benchmark-only --benchmark-columns=median,ops

references: ## Write the generated pages of docs/ anew: settings, commands, routes, tools
	$(PYTHON) -m tools.references

site: ## Build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict

docs: site rustdoc ## Check the documents: the site and rustdoc without warnings, and what README and CONTRIBUTING name
	$(PYTHON) -m pytest -q tests/test_docs.py tests/test_layers.py

all: lint types test docs ## Everything that CI checks

clean: ## Remove what was built (never an index)
	$(CARGO) clean
	rm -rf dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find python tests -name __pycache__ -type d -prune -exec rm -rf {} +
