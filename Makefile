# One environment in .venv, made from the lock file; every target works from a fresh clone.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(if $(shell $(p) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(p))))
UV_VERSION := 0.13.9
HELM_VERSION := v3.22.0
BIN := .venv/bin
STAMP := .venv/.installed
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra local --group dev
PLAYWRIGHT := $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r tests/browser/requirements.lock
AXE_VERSION := 4.14.1
AXE_SHA256 := 29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
AXE := build/axe-$(AXE_VERSION).min.js
# What the image holds: the same versions, without extras and tools.
COMPILE_IMAGE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --constraint requirements.lock
IMAGE_LOCK := deploy/image/requirements.lock
IMAGE ?= assay:local
ARGS ?=
ONLY ?=
CASES ?= 300

.DEFAULT_GOAL := help
.PHONY: help install demo up image secrets lint-deploy test check audit sbom format lock bench faults fuzz browser docs clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

image: ## Build the container image (needs Docker)
	@docker build --tag $(IMAGE) .

secrets: install ## Make the secrets of deploy/compose.yaml in deploy/secrets; those that are there stay
	@$(BIN)/assay secrets make deploy/secrets

test: install ## Run every test that CI runs (ARGS= go to pytest)
	@$(BIN)/pytest $(ARGS)

check: install ## Format, lint, types, import contracts, lock, schemas, migrations, docs, known vulnerabilities
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@PYTHONPATH=.:sdk $(BIN)/lint-imports
	@$(BIN)/python -m deploy.schemas --check
	@$(BIN)/python -m deploy.schema_sql --check
	@$(BIN)/python -m deploy.cli_docs --check
	@$(BIN)/python -m deploy.reference --check
	@$(BIN)/python -m deploy.docs_check
	@$(BIN)/zensical build --strict >.venv/docs.log 2>&1 || { cat .venv/docs.log; exit 1; }
	@cp requirements.lock .venv/lock.expected; cp $(IMAGE_LOCK) .venv/image.expected
	@$(COMPILE) pyproject.toml --output-file .venv/lock.expected
	@$(COMPILE_IMAGE) pyproject.toml --output-file .venv/image.expected
	@grep -v '^#' requirements.lock $(IMAGE_LOCK) | cut -d: -f2- > .venv/lock.a; \
	 grep -v '^#' .venv/lock.expected .venv/image.expected | cut -d: -f2- > .venv/lock.b; \
	 cmp -s .venv/lock.a .venv/lock.b || { echo "A lock file does not fit pyproject.toml: run make lock."; exit 1; }
	@$(BIN)/python -m deploy.audit
	@echo "All checks passed."

lint-deploy: install ## Lint the chart and render what its tests read (helm from PATH, else built by Go)
	@test -x $(BIN)/helm || command -v helm >/dev/null || GOBIN=$(CURDIR)/$(BIN) go install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION) \
	 || { echo "helm is not on PATH, and Go is not there to build it."; exit 1; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tests.support.chart
	@$(BIN)/pytest --quiet tests/unit/deploy

format: install ## Format and mend what can be mended
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## Resolve pyproject.toml into the lock files (UPGRADE=--upgrade for newer versions)
	@$(COMPILE) $(UPGRADE) pyproject.toml --output-file requirements.lock
	@$(COMPILE_IMAGE) $(UPGRADE) pyproject.toml --output-file $(IMAGE_LOCK)

bench: install ## Measure, as ratios in one run (ONLY=name)
	@$(if $(filter-out dashboard,$(ONLY)),:,$(PLAYWRIGHT) || echo "Playwright could not be had.")
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(ARGS)

faults: install ## Crash matrix with its table (NIGHTLY=1 for the long amounts)
	@ASSAY_FAULTS=all $(BIN)/pytest tests/faults/test_matrix.py tests/faults/test_million.py tests/faults/test_auditor.py \
		tests/faults/test_alert_life.py tests/faults/test_experiment_life.py tests/faults/test_erasure.py \
		tests/integration/abtest/test_crashes.py tests/integration/feedback/test_crashes.py $(ARGS)

fuzz: install ## Ask a running gateway what schemathesis makes up (CASES= per operation; ONLY=paths; ARGS= go to pytest)
	@ASSAY_FUZZ_CASES=$(CASES) ASSAY_FUZZ_PATHS='$(ONLY)' $(BIN)/pytest tests/fuzz $(ARGS)

docs: install ## Make the site of docs/ in build/site, every link checked
	@$(BIN)/python -m deploy.reference && $(BIN)/zensical build --strict

sbom: install ## Write sbom.json: every package of the lock file, as CycloneDX
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file sbom.json requirements.lock
	@echo "sbom.json written."

audit: install ## Look for known vulnerabilities of what the lock file holds
	@$(BIN)/python -m deploy.audit

browser: install $(AXE) ## Walk every page of the dashboard in Chromium, on the demo's data (pictures in build/browser)
	@$(PLAYWRIGHT)
	@ASSAY_BROWSER=1 ASSAY_AXE="$$(ls $(AXE) 2>/dev/null)" $(BIN)/pytest tests/browser $(ARGS)

$(AXE):
	@mkdir -p build
	@cd build && npm pack --silent axe-core@$(AXE_VERSION) && tar xzf axe-core-$(AXE_VERSION).tgz package/axe.min.js \
	 && echo "$(AXE_SHA256)  package/axe.min.js" | sha256sum --check --quiet && mv package/axe.min.js $(notdir $(AXE)) \
	 || echo "axe-core could not be had from npm: accessibility is not looked at."

clean: ## Remove what was built here
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
