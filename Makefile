# archloom: `make demo` shows the main job, `make test` runs what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test coverage lint format bench-nasbench201 bench-strategies bench-supernets bench-differentiable bench-engine bench-store crash-test docs clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $(STAMP)

demo: install
	rm -rf .demo && mkdir .demo
	$(BIN)/search run examples/digits.yaml store=sqlite:///.demo/digits.db
	$(BIN)/search best digits-cells --store sqlite:///.demo/digits.db
	$(BIN)/search export digits-cells best .demo/winner --store sqlite:///.demo/digits.db

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: lint
	$(BIN)/pytest -n 2 --dist worksteal
	$(BIN)/pytest -q --doctest-modules archloom

# Tracing makes the tests take twice as long: it is asked for by itself.
coverage: install
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term

bench-nasbench201: install
	$(BIN)/python benchmarks/nasbench201.py

bench-strategies: install
	$(BIN)/python -m benchmarks.strategies
	$(BIN)/python -m benchmarks.fronts
	$(BIN)/python -m benchmarks.flows
	$(BIN)/python -m benchmarks.strategy_speed

bench-supernets: install
	$(BIN)/python -m benchmarks.supernets

bench-differentiable: install
	$(BIN)/python -m benchmarks.differentiable

bench-engine: install
	$(BIN)/python -m benchmarks.engine

bench-store: install
	$(BIN)/python -m benchmarks.store

crash-test: install
	$(BIN)/python -m benchmarks.crash --out benchmarks/results/crash.md

docs: install
	$(BIN)/python docs/build_reference.py

clean:
	rm -rf .demo .venv .coverage* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
