# `make run` and `make test` work on a fresh machine with Python 3.11+ and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
SCALE ?= 0.1
ARGS ?=

.PHONY: help run test check lint types compose test-compose constraints clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("joinstorm needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(DEV_STAMP): $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP) $@

run: $(STAMP) ## replay the night with the embedded Kafka and prove every number
	$(BIN)/joinstorm run launch --scale $(SCALE) $(ARGS)
	@echo "the command: $(BIN)/joinstorm; put it on your path with: source $(BIN)/activate"

# CI plays two processes, in about half the time: make test ARGS="-n 2 --dist loadfile --no-loadscope-reorder"
test: $(DEV_STAMP) ## run every test
	$(BIN)/python -m pytest $(ARGS)

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_STAMP)
	$(BIN)/mypy

check: lint types test ## exactly what CI runs

compose: ## run the whole stack in containers, Grafana on http://localhost:3000; needs Docker
	@[ -n "$$(docker compose ps --quiet)" ] || $(PYTHON) docker/check_ports.py
	docker compose up --build $(ARGS)

test-compose: $(DEV_STAMP) ## start the containers, check the verdict, remove them; needs Docker and the images of .env
	JOINSTORM_TEST_COMPOSE=1 $(BIN)/python -m pytest tests/e2e/test_compose.py $(ARGS)

constraints: ## pin the newest version of every dependency in constraints.txt
	$(PYTHON) -m venv build/newest
	build/newest/bin/python -m pip install --quiet --editable '.[dev]'
	{ head -n 1 constraints.txt && build/newest/bin/python -m pip freeze --exclude-editable; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/newest

clean: ## remove the files that make created
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
