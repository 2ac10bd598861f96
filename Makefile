# On a fresh machine with Python 3.11, 3.12 or 3.13: `make demo` and `make test` do everything, environment included.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

export MLFLOW_DISABLE_TELEMETRY = true

.PHONY: demo test test-quick test-all test-browser coverage server bench lint docs docs-linkcheck clean

demo: $(VENV)/installed ## the demo study on drawn scenes: 3 activations × 2 seeds, then their table
	$(PY) train.py experiment=demo

test: $(VENV)/installed-test ## all but the slow tests
	$(PYTEST)

test-quick: $(VENV)/installed-test ## the unit tests: under 90 seconds on 2 cores
	$(PYTEST) -m "not slow and not browser and not slurm and not server and not integration"

test-browser: $(VENV)/installed-browser ## the report in a real browser: Debian's chromium
	$(PY) -m pytest -m browser

test-all: $(VENV)/installed-browser ## all tests, the slow ones and those in a browser included
	$(PYTEST) -m ""

coverage: $(VENV)/installed-test ## the tests of `make test` with line and branch coverage; page in htmlcov/
	$(PYTEST) --cov --cov-report=term:skip-covered --cov-report=html

server: $(VENV)/installed-server ## a team's tracking server: MLflow, PostgreSQL, artifacts in server/; until Ctrl-C
	./server.sh

bench: $(VENV)/installed-bench ## beside the article's code and PyTorch, into docs/BENCHMARKS.md; on a quiet machine; DATA=data.archive=PATH
	$(PY) benchmarks/bench.py $(DATA) > docs/BENCHMARKS.md.new && mv docs/BENCHMARKS.md.new docs/BENCHMARKS.md

lint: $(VENV)/installed-dev ## style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

docs: $(VENV)/installed-docs ## the documentation site in docs/_build/html; executes the notebook, which DOCS_EXECUTE=off leaves out
	$(VENV)/bin/sphinx-build -W --keep-going docs docs/_build/html

docs-linkcheck: $(VENV)/installed-docs ## the documentation's external links
	DOCS_EXECUTE=off $(VENV)/bin/sphinx-build -b linkcheck docs docs/_build/linkcheck

clean: ## the environment; runs, data and tracking stay
	rm -rf $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "error: Python 3.11, 3.12 or 3.13 is required (TensorFlow 2.21 supports no other); $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
	       echo "hint: name another one: make PYTHON=python3.13 …" >&2; exit 2; }
	@echo "Installing into $(VENV) (about 2 minutes) …"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@$(INSTALL) --editable '.[test]'
	@touch $@

$(VENV)/installed-browser: $(VENV)/installed
	@$(INSTALL) --editable '.[browser]'
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed
	@$(INSTALL) --editable '.[bench]'
	@touch $@

$(VENV)/installed-server: $(VENV)/installed
	@$(INSTALL) --editable '.[server]'
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@$(INSTALL) --editable '.[dev]'
	@touch $@

$(VENV)/installed-docs: $(VENV)/installed
	@$(INSTALL) --editable '.[docs]'
	@touch $@
