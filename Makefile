# The two commands: make compare, make test. Both set up .venv first if it is not there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?= --backends pyro numpyro
READY := $(VENV)/ready
FILES := pyproject.toml constraints.txt backends/pyro/pyproject.toml backends/numpyro/pyproject.toml

.PHONY: setup compare test lint bench docs clean

setup: $(READY)

$(READY): $(FILES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e ".[tables,plots,docs,dev]" -e backends/pyro -e "backends/numpyro[equinox,flax,enumeration]"
	touch $@

compare: $(READY)
	$(BIN)/python compare.py $(ARGS)

test: $(READY)
	$(BIN)/pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python tests/benchmark/run.py

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) site
