# Run `make` to see the targets. Everything is set up into .venv on first use.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: build
build: $(STAMP) ## Build everything on the embedded sample and print the segments
	$(BIN)/dbt build --exclude test_type:unit

.PHONY: test
test: $(STAMP) lint ## Run all tests: lint, dbt unit and data tests, pytest
	$(BIN)/python -m pytest -m "not longo"

.PHONY: test-longo
test-longo: $(STAMP) ## Run the slow end-to-end tests (needs chromium)
	$(BIN)/python -m pytest -m longo

.PHONY: lint
lint: $(STAMP) ## Check style and that the project parses without a warning
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/dbt --quiet --warn-error parse --no-partial-parse
	$(BIN)/sqlfluff lint --processes 2 models tests/singular

.PHONY: example
example: $(STAMP) ## Build on a real data set: make example NAME=online_retail DADOS=folder
	@test -f "examples/$(NAME).yml" \
		|| { echo "NAME must be one of:" $(basename $(notdir $(wildcard examples/*.yml))); exit 1; }
	SEGMENTACAO_DB=$(NAME).duckdb DADOS="$(abspath $(DADOS))" $(BIN)/dbt build \
		--exclude test_type:unit resource_type:seed,amostra_vendas \
		--vars "$$(cat examples/$(NAME).yml)"

.PHONY: report
report: $(STAMP) ## Write the Insiders report, one HTML file, from the last build
	$(BIN)/python -m segmentacao.report

.PHONY: docs
docs: $(STAMP) ## Write the documentation site as one file, target/static_index.html
	$(BIN)/dbt docs generate --static --quiet
	@echo "Documentation: $(CURDIR)/target/static_index.html"

.PHONY: bench
bench: $(STAMP) ## Measure speed and memory side by side; QUICK=1 takes minutes
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

.PHONY: lock
lock: ## Renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--no-header --no-annotate --no-emit-index-url --quiet -o requirements.lock

.PHONY: clean
clean: ## Remove what builds and tests leave behind, not .venv
	rm -rf target logs rastreio *.duckdb *.duckdb.wal
