# `make demo` and `make test` set everything up by themselves, from a bare clone.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint test-long eval-small bench load eval reader clean

help:
	@echo "make demo       index the bundled sample documents and answer three questions"
	@echo "make test       lint, types, tests, and eval-small"
	@echo "make eval-small is any figure worse than its baseline? half a minute"
	@echo "make test-long  the tests that run long (hundreds of kills of a running indexer)"
	@echo "make bench      speed and memory on 1,000 and 20,000 passages"
	@echo "make eval       measure everything for which there is data (hours), rewrite README's figures:"
	@echo "                make eval DATA=folder"
	@echo "make load       throughput, latency and errors of the service at 1, 8 and 32 clients"
	@echo "make reader     train, export and calibrate the reader (hours): make reader DATA=folder TEACHER=folder"
	@echo "make clean      remove what the others made"

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dateline needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

# Installed once per change of what is to be installed.
.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: .venv/.installed
	$(BIN)/dateline demo

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -m "not slow"
	$(BIN)/dateline eval small

test-long: .venv/.installed-dev
	$(BIN)/pytest -m slow

# Something made better, or worse on purpose: dateline eval small --save-baseline
eval-small: .venv/.installed
	$(BIN)/dateline eval small

bench: .venv/.installed
	$(BIN)/dateline eval speed

# bm25s, which BM25 is compared with, is among the developer's packages. Stopped, it goes on.
eval: .venv/.installed-dev
	$(BIN)/dateline eval all --results .work/results --readme README.md $(if $(DATA),--data $(DATA))

load: .venv/.installed
	$(BIN)/dateline eval load

# Stopped, it goes on from its last checkpoint in WORK. TEACHER is a folder of all-mpnet-base-v2.
WORK ?= .work/reader
reader: .venv/.installed
	@test -d "$(DATA)" -a -d "$(TEACHER)" || { echo "usage: make reader DATA=folder TEACHER=folder"; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train]'
	$(BIN)/python -m qa.training.train $(DATA) $(WORK)
	$(BIN)/python -m qa.training.train $(DATA) $(WORK)/teacher --teacher $(TEACHER)
	$(BIN)/python -m qa.training.distil $(DATA) $(WORK)/distilled --student $(WORK)/model \
		--teacher $(WORK)/teacher/model
	$(BIN)/python -m qa.training.export $(WORK)/distilled/model qa/models/reader
	$(BIN)/python -m qa.training.calibrate $(DATA) --reader qa/models/reader

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
