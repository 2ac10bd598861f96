# On a fresh machine with Python 3.11, 3.12 or 3.13, `make demo` and `make test` also create the environment.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile
# In a terminal, pip shows what it downloads.
QUIET := $(shell test -t 2 || echo --quiet)
INSTALL := $(PY) -m pip install $(QUIET) --disable-pip-version-check --constraint constraints.txt

export MLFLOW_DISABLE_TELEMETRY = true

.PHONY: demo test test-quick test-all test-browser coverage server bench lint docs docs-linkcheck clean

demo: $(VENV)/installed ## run the demo study on drawn scenes: 3 activations × 2 seeds
	$(PY) train.py experiment=demo

test: $(VENV)/installed-test ## run all tests except the slow ones
	$(PYTEST)

test-quick: $(VENV)/installed-test ## run the unit tests, about 6 minutes on 2 cores
	$(PYTEST) -m "not slow and not browser and not slurm and not server and not integration"

test-browser: $(VENV)/installed-browser ## test the report in a browser, Debian's chromium
	$(PY) -m pytest -m browser

test-all: $(VENV)/installed-browser $(VENV)/installed-torch ## run all tests, including slow and browser tests
	$(PYTEST) -m ""

coverage: $(VENV)/installed-test ## measure line and branch coverage of `make test`; report in htmlcov/
	$(PYTEST) --cov --cov-report=term:skip-covered --cov-report=html

server: $(VENV)/installed-server ## start an MLflow server with PostgreSQL and artifacts in server/, until Ctrl-C
	./server.sh

bench: $(VENV)/installed-torch ## write docs/BENCHMARKS.md; on an otherwise idle machine, with DATA=data.archive=PATH
	$(PY) benchmarks/bench.py $(DATA) > docs/BENCHMARKS.md.new && mv docs/BENCHMARKS.md.new docs/BENCHMARKS.md

lint: $(VENV)/installed-dev ## check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

docs: $(VENV)/installed-docs ## build the documentation site in docs/_build/html; DOCS_EXECUTE=off skips executing the notebook
	$(VENV)/bin/sphinx-build -W --keep-going docs docs/_build/html

docs-linkcheck: $(VENV)/installed-docs ## check the external links of the documentation
	DOCS_EXECUTE=off $(VENV)/bin/sphinx-build -b linkcheck docs docs/_build/linkcheck

clean: ## delete the environment; keeps runs, data and MLflow store
	rm -rf $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "error: Python 3.11, 3.12 or 3.13 is required (TensorFlow 2.21 supports no other); $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
	       echo "hint: name another one: make PYTHON=python3.13 …" >&2; exit 2; }
	@echo "Installing TensorFlow, Keras, MLflow and what they need into $(VENV) (2 to 5 minutes, about 3 GB on disk) …"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@$(INSTALL) --editable '.[test]'
	@touch $@

$(VENV)/installed-browser: $(VENV)/installed
	@$(INSTALL) --editable '.[browser]'
	@touch $@

$(VENV)/installed-torch: $(VENV)/installed
	@$(INSTALL) --editable '.[torch]'
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
