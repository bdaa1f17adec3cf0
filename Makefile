# Everything a person does with a fresh clone. `make help` lists it.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
export PYTHONDONTWRITEBYTECODE ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo run test test-long check bench lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.runtime: requirements.lock
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Waymark needs (about a minute the first time) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.runtime ## make .venv and install what the platform needs
setup-dev: $(VENV)/.dev ## the same, and what tests and checks need

demo: setup ## a local Akash network with the 2023 GPU testnet, and the platform on it
	@$(PY) app.py demo

run: setup ## the platform on the settings given (WAYMARK_… or .env)
	@$(PY) app.py serve

test: setup-dev ## the tests
	@$(PY) -m pytest -m "not long" $(TESTS)

test-long: setup-dev ## the same tests with larger numbers
	@$(PY) -m pytest $(TESTS)

check: setup-dev ## ruff, mypy (strict), the rules of who imports whom, djlint
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/djlint templates --check --quiet
	@$(VENV)/bin/djlint templates --lint --quiet

bench: setup-dev ## measure bootstrap and verification beside a bare loop, a probe round over 500 endpoints, two passes over 3,000 claims
	@$(PY) -m bench
	@$(PY) -m bench.probes
	@$(PY) -m bench.again

lock: setup-dev ## resolve the dependencies anew into the two hashed lock files
	@$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 pyproject.toml -o requirements.lock
	@$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.lock
