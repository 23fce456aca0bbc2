# Needs make and Python 3.11-3.13; everything else is brought into this folder, and dbt into the user's cache.
SHELL = /bin/sh
.DEFAULT_GOAL = help

PORT ?= 8580
TOKEN ?=
UI ?=
PYTHON ?=
ARGS ?=
WORKERS ?= 2
export PYTHON
# Tests start hundreds of processes: what they import is compiled once, whatever the shell asks for.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo serve test test-all test-lowest test-dbtcloud test-newest test-quick check docs bench mutants newest lowest dbtcloud clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: newest ## Run a dbt project by Airflow and a local dbt Cloud (UI=1: leave both running)
	@.venv/bin/python demo $(if $(UI),--ui)

serve: newest ## Serve a local dbt Cloud (PORT=8580, TOKEN=: made up and printed)
	@.venv/bin/dbtcloud serve --port $(PORT) $(if $(TOKEN),--token '$(TOKEN)')

# The longest first: what is made beside it fills the other processor.
test: test-newest test-dbtcloud test-lowest ## Run the tests, on the newest and the lowest Airflow (ARGS=: passed to pytest; WORKERS=2)

test-all: ## Run the tests at full length: all clients of others, all of pip
	@$(MAKE) --no-print-directory test ARGS='--all $(ARGS)'

test-lowest: lowest ## Run those with a real Airflow on the lowest
	.venv-lowest/bin/python -m pytest tests/airflow $(ARGS)

test-dbtcloud: dbtcloud ## Run those of the distribution dbtcloud, where there is no Airflow
	cd dbtcloud && ../.venv-dbtcloud/bin/python -m pytest -n $(WORKERS) $(ARGS)

# One worker more: the first one has the tests with a real Airflow, and waits most of the time.
test-newest: newest ## Run those of the provider on the newest Airflow
	.venv/bin/python -m pytest -n $$(( $(WORKERS) + 1 )) --no-loadscope-reorder $(ARGS)

test-quick: newest dbtcloud ## Run those that need neither a running Airflow, a browser, dbt nor the clients of others
	cd dbtcloud && ../.venv-dbtcloud/bin/python -m pytest -n $(WORKERS) -m "not dbt and not contract" $(ARGS)
	.venv/bin/python -m pytest -n $(WORKERS) -m "not airflow and not browser and not dbt and not contract" $(ARGS)

check: newest ## Lint, check format, types, layers and dependencies
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/deptry .
	cd dbtcloud && ../.venv/bin/deptry src

docs: newest ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

bench: newest ## Measure beside the provider that this one replaces (benchmarks/README.md)
	.venv/bin/python -m benchmarks

mutants: newest dbtcloud ## Mutate a module, print what its tests let live (MODULE=dbtcloud.client.retry, TESTS=)
	@scripts/mutants.sh $(MODULE) $(TESTS)

newest:
	@scripts/environment.sh newest

lowest:
	@scripts/environment.sh lowest

dbtcloud:
	@scripts/environment.sh dbtcloud

clean: ## Remove what was made, environments included
	rm -rf .venv .venv-lowest .venv-dbtcloud .venv-incumbent .venv-clients .venv-tools .mutants .demo site .coverage* .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis dbtcloud/.pytest_cache dbtcloud/.hypothesis
