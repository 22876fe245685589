# Each target first installs what it needs into .venv. Pass arguments in ARGS, as in
#   make demo ARGS=--serve      make test ARGS="-k relay"

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
UV ?= uv

# A .venv whose Python no longer runs is replaced.
$(shell $(BIN)/python -c '' 2>/dev/null || rm -f $(BIN)/python $(RUNTIME) $(DEV))

# Processes start three times as fast from compiled modules.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench chaos lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(RUNTIME) ## Train a real model on real data and watch what follows; ARGS=--serve stays up
	@$(BIN)/insights demo $(ARGS)

test: $(DEV) ## Run the tests
	@$(BIN)/pytest $(ARGS)

lint: $(DEV) ## Check style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(DEV) ## Measure throughput, latency and idle cost
	@$(BIN)/insights bench $(ARGS)

chaos: $(DEV) ## Kill, flush and restart things under load, then check every effect
	@$(BIN)/insights chaos $(ARGS)

# Without ARGS=--upgrade, a lock keeps the versions that it has, where they still fit.
COMPILE = $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --group pyproject.toml:build --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(ARGS)

lock: ## Write both lock files again after a change of dependencies (needs uv)
	$(COMPILE) --all-extras --output-file requirements-dev.lock
	$(COMPILE) --extra embedded --constraints requirements-dev.lock --output-file requirements.lock

clean: ## Remove .venv, caches, and the data under .insights
	rm -rf $(VENV) .insights build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing its dependencies into $(VENV) (once, a minute or so) ..."
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# The dev lock holds all of the runtime lock, in the same versions.
$(DEV): requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing its development dependencies into $(VENV) (once, a minute or so) ..."
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(RUNTIME) $@

# Each Python is tried first: a pyenv shim may exist without a Python behind it, and Debian packages
# ensurepip separately.
$(BIN)/python:
	@old=; for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || { old="$$python"; continue; }; \
		echo "Making $(VENV) with $$("$$python" --version) ..."; \
		exec "$$python" -m venv --clear $(VENV); \
	done; \
	if [ -n "$$old" ]; then \
		echo "$$old has no working venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	else \
		echo "No Python 3.11 or newer found (tried: $(or $(PYTHON),python3.13 python3.12 python3.11 python3))." \
			"Install one, or name it: make PYTHON=/path/to/python3" >&2; \
	fi; exit 1
