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
	$(BIN)/python -m pytest

.PHONY: test-longo
test-longo: $(STAMP) ## Run the slow end-to-end tests (needs chromium and postgresql)
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
	SEGMENTACAO_DB=$(NAME).duckdb SEGMENTACAO_PUBLICADO=publicado/$(NAME) \
		DADOS="$(abspath $(DADOS))" $(BIN)/dbt build \
		--exclude test_type:unit resource_type:seed,amostra_vendas \
		--vars "$$(cat examples/$(NAME).yml)"

.PHONY: dashboard
dashboard: $(STAMP) ## Draw the dashboards of the last build, one offline HTML file each
	@test -f target/manifest.json || { echo "Run make build first."; exit 1; }
	$(BIN)/python -m segmentacao.dashboards

.PHONY: serve
serve: $(STAMP) ## Serve the model in force over HTTP: make serve PASSO=rfv PORTA=5001
	PATH="$(CURDIR)/$(BIN):$$PATH" MLFLOW_TRACKING_URI=sqlite:///rastreio/mlflow.db \
		mlflow models serve --env-manager local --host 127.0.0.1 \
		--port $(or $(PORTA),5001) \
		--model-uri models:/segmentacao_$(or $(PASSO),rfv)@em_vigor

.PHONY: report
report: $(STAMP) ## Write the Insiders report, one HTML file, from the last build
	$(BIN)/python -m segmentacao.report

.PHONY: docs
docs: $(STAMP) ## Write the documentation site as one file, target/static_index.html
	$(BIN)/dbt docs generate --quiet
	$(BIN)/python -m segmentacao.docs

.PHONY: variables
variables: $(STAMP) ## Renew docs/variables.md from the comments of dbt_project.yml
	$(BIN)/python -m segmentacao.variables

.PHONY: bench
bench: $(STAMP) ## Measure speed and memory side by side; QUICK=1 takes minutes
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

.PHONY: year
year: $(STAMP) ## Live a year: monthly dates, quarterly refits; DADOS=folder adds real data
	$(BIN)/python -m benchmarks.year $(if $(DADOS),--dados $(DADOS))

.PHONY: backfill
backfill: $(STAMP) ## Write past dates: make backfill DE=2025-03-01 ATE=2025-12-01 PASSO=1
	$(BIN)/python -m segmentacao.backfill --de $(DE) --ate $(ATE) --passo-meses $(or $(PASSO),1)

.PHONY: lock
lock: ## Renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--no-header --no-annotate --no-emit-index-url --quiet -o requirements.lock

.PHONY: clean
clean: ## Remove what builds and tests leave behind, not .venv
	rm -rf target logs rastreio publicado paineis *.duckdb *.duckdb.wal
