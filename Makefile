# Two commands on a fresh machine: `make demo` and `make test`. Each makes .venv and installs what it needs.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Programs on other people's libraries, each kind in an environment of its own.
PROGRAMS := .venv-programs

# The tests start hundreds of processes; without bytecode each of them would compile what it loads.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test peers programs peers-programs check lock reference bench-service bench-ledger bench-verify bench-router bench-estimator bench-overhead bench-bindings train-router snapshots bench-compiling bench-devices clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(STAMP): constraints.txt pyproject.toml sdk/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Qubator needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "[1/3] making .venv"
	@$(PYTHON) -m venv .venv
	@echo "[2/3] installing Qubator and its tools (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' -e sdk
	@echo "[3/3] ready"
	@touch $(STAMP)

demo: $(STAMP) ## Start the service, run real circuits for three startups, show prices and statements
	@$(BIN)/python examples/demo.py

up: $(STAMP) ## Run the service on this machine
	@$(BIN)/qubatord up

test: $(STAMP) ## Run every test
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

peers: $(STAMP) ## Run Qiskit's own tests of its primitives against our classes
	@$(BIN)/python -m pytest -q tests/contract

$(PROGRAMS)/%/.installed: examples/programs/requirements/%.txt sdk/pyproject.toml
	@echo "making the environment of programs with $* (a minute or two, once)"
	@$(PYTHON) -m venv $(PROGRAMS)/$*
	@$(PROGRAMS)/$*/bin/python -m pip install --quiet --quiet --disable-pip-version-check -r $<
	@$(PROGRAMS)/$*/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps -e sdk
	@$(PROGRAMS)/$*/bin/python -m pip check
	@touch $@

programs: $(STAMP) $(PROGRAMS)/qiskit/.installed ## Run programs written for Qiskit's libraries, unchanged
	@$(BIN)/python -m pytest -q -m programs tests/contract/test_programs.py

peers-programs: $(STAMP) $(PROGRAMS)/mitiq/.installed $(PROGRAMS)/pennylane/.installed ## The same with mitiq and PennyLane
	@$(BIN)/python -m pytest -q -m on_demand tests/contract/test_programs.py

check: $(STAMP) ## Lint, format, types, borders
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --strict sdk/src/qubator
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python docs/make_reference.py --check
	@$(BIN)/python -m pytest -q tests/test_tidy.py

lock: $(STAMP) ## Renew constraints.txt with the newest versions that fit
	@$(BIN)/uv pip compile --quiet --upgrade --universal --no-annotate --no-header --python-version 3.11 \
	  --extra dev pyproject.toml sdk/pyproject.toml -o constraints.txt
	@for kind in qiskit mitiq pennylane; do \
	  $(BIN)/uv pip compile --quiet --upgrade --no-annotate --no-header --python-version 3.11 \
	    examples/programs/requirements/$$kind.in sdk/pyproject.toml -o examples/programs/requirements/$$kind.txt; done
	@echo "constraints.txt and the programs' requirements renewed; run: make test programs peers-programs"

reference: $(STAMP) ## Write docs/reference.md from the code
	@$(BIN)/python docs/make_reference.py

snapshots: $(STAMP) ## Renew backends/targets/snapshots from the package of IBM's fake devices
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --no-deps --target .snapshots qiskit-ibm-runtime
	@PYTHONPATH=.snapshots $(BIN)/python -m backends.devices.snapshots

bench-service: $(STAMP) ## Measure the service beside a plain Aer loop
	@$(BIN)/python -m benchmarks.service

bench-ledger: $(STAMP) ## Measure holds and settlements beside plain inserts of the same rows
	@$(BIN)/python -m benchmarks.ledger

bench-router: $(STAMP) ## Measure the router beside Aer; CIRCUITS=dir LIMIT=s FAMILY=name FRESH=1
	@CIRCUITS=$(CIRCUITS) LIMIT=$(LIMIT) FAMILY=$(FAMILY) FRESH=$(FRESH) $(BIN)/python -m benchmarks.router $(ARGS)

bench-bindings: $(STAMP) ## Measure a PUB with 1,000 bindings beside 1,000 jobs, in a worker and over HTTP
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 RAYON_NUM_THREADS=1 QULACS_NUM_THREADS=1 $(BIN)/python -m benchmarks.bindings

train-router: $(STAMP) ## Measure every engine and fit the router's predictions; FIT=1 ONLY=engine
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 RAYON_NUM_THREADS=1 QULACS_NUM_THREADS=1 FIT=$(FIT) ONLY=$(ONLY) \
		$(BIN)/python -m benchmarks.train_router

bench-estimator: $(STAMP) ## Measure exact values beside Aer's EstimatorV2; LIMIT=s
	@LIMIT=$(LIMIT) $(BIN)/python -m benchmarks.estimator $(ARGS)

bench-overhead: $(STAMP) ## Measure what deciding costs, bindings beside jobs, OpenQASM 3
	@$(BIN)/python -m benchmarks.overhead

bench-verify: $(STAMP) ## Measure the verification of a ledger of a million entries
	@$(BIN)/python -m benchmarks.verify

bench-compiling: $(STAMP) ## Measure the portfolio of compilers beside one level-3 run
	@$(BIN)/python -m benchmarks.compiling

bench-devices: $(STAMP) ## Measure the fleet of simulated devices beside what their figures predict
	@$(BIN)/python -m benchmarks.devices

clean: ## Remove .venv and caches
	rm -rf .venv .venv-programs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
