# One environment in .venv, made from the lock file; every target works from a fresh clone.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(if $(shell $(p) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(p))))
UV_VERSION := 0.13.9
BIN := .venv/bin
STAMP := .venv/.installed
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra local --group dev
ARGS ?=
ONLY ?=

.DEFAULT_GOAL := help
.PHONY: help install demo up test check format lock bench faults browser clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv from the lock file

$(STAMP): requirements.lock pyproject.toml sdk/pyproject.toml
	@test -n "$(PYTHON)" || { echo "Assay needs Python 3.11 or newer on PATH (or PYTHON=/path/to/python)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . -e sdk
	@touch $@

demo: install ## Start everything and send real predictions through it (ARGS="--exit --summary out.json")
	@$(BIN)/assay demo $(ARGS)

up: install ## Start the whole system on this machine until Ctrl-C
	@$(BIN)/assay up $(ARGS)

test: install ## Run every test that CI runs (ARGS= go to pytest)
	@$(BIN)/pytest $(ARGS)

check: install ## Format, lint, types, import contracts, lock, schemas, migrations, docs links
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@PYTHONPATH=.:sdk $(BIN)/lint-imports
	@$(BIN)/python -m deploy.schemas --check
	@$(BIN)/python -m deploy.schema_sql --check
	@$(BIN)/python -m deploy.docs_check
	@cp requirements.lock .venv/lock.expected
	@$(COMPILE) pyproject.toml --output-file .venv/lock.expected
	@grep -v '^#' requirements.lock > .venv/lock.a; grep -v '^#' .venv/lock.expected > .venv/lock.b; \
	 cmp -s .venv/lock.a .venv/lock.b || { echo "requirements.lock does not fit pyproject.toml: run make lock."; exit 1; }
	@echo "All checks passed."

format: install ## Format and mend what can be mended
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## Resolve pyproject.toml into requirements.lock (UPGRADE=--upgrade for newer versions)
	@$(COMPILE) $(UPGRADE) pyproject.toml --output-file requirements.lock

bench: install ## Measure, as ratios in one run (ONLY=name)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(ARGS)

faults: install ## Crash matrix with its table (NIGHTLY=1 for the long amounts)
	@ASSAY_FAULTS=all $(BIN)/pytest tests/faults/test_matrix.py tests/faults/test_million.py \
		tests/faults/test_alert_life.py tests/faults/test_experiment_life.py \
		tests/integration/abtest/test_crashes.py tests/integration/feedback/test_crashes.py $(ARGS)

browser: install ## Look at the pages in a real browser
	@echo "The dashboard is not there yet; see the roadmap in README.md."; exit 1

clean: ## Remove what was built here
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
