# `make` lists the targets. Needs Python 3.11 or newer, make and git; the rest is
# installed into .venv once, and again when pyproject.toml changes.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& command -v $(name))))
BIN := .venv/bin
READY := .venv/.ready
TESTABLE := .venv/.testable
SAMPLES := logs/demo
SDKS := .venv/sdks
NEWEST := 'openai>=3' 'anthropic>=2' 'google-genai>=3'
PREVIOUS := 'openai>=2,<3' 'anthropic>=1,<2' 'google-genai>=2,<3'

.DEFAULT_GOAL := help
.PHONY: help report test quick check lint types sdks coverage bench torture clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "tokenusage needs Python 3.11 or newer: install it, or name it with make PYTHON=..." >&2; exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) --version), once; this takes a minute or two." >&2
	@$(PYTHON) -m venv .venv || { echo "The venv module is missing: on Debian and Ubuntu, apt install python3-venv." >&2; rm -rf .venv; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check --editable '.[dev]' 1>&2
	@touch $@

# The clients are large, and nobody needs them to look at a report.
$(TESTABLE): $(READY)
	@echo "Installing the clients that the tests call, once; this takes a minute or two." >&2
	@$(BIN)/python -m pip install --disable-pip-version-check --editable '.[clients]' 1>&2
	@touch $@

report: $(READY) ## the last 30 days of logs/, or of samples where there are none
	@if [ -n "$$(find logs -maxdepth 1 -name 'token_usage_*.jsonl' -size +0)" ]; then \
		$(BIN)/tokenusage report --days 30; \
	else \
		if ! ls $(SAMPLES)/token_usage_*.jsonl >/dev/null 2>&1; then \
			$(BIN)/tokenusage demo --logs $(SAMPLES) >/dev/null; \
		fi; \
		echo "logs/ holds no records yet: these are samples, in $(SAMPLES)/." >&2; \
		$(BIN)/tokenusage report --days 30 --logs $(SAMPLES); \
	fi

test: $(TESTABLE) ## run all tests
	@$(BIN)/pytest -n auto --quiet

quick: $(TESTABLE) ## run the tests that take no time
	@$(BIN)/pytest --quiet -m "not slow"

lint: $(READY) ## ruff: rules and format
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

types: $(TESTABLE) ## mypy --strict
	@$(BIN)/mypy

check: lint types test ## lint, strict types and tests: what CI runs

$(SDKS)/newest/.ready: CLIENTS = $(NEWEST)
$(SDKS)/previous/.ready: CLIENTS = $(PREVIOUS)
$(SDKS)/%/.ready: $(TESTABLE)
	@rm -rf $(@D)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(@D) $(CLIENTS) 1>&2
	@touch $@

# In folders that come before .venv's own, where LiteLLM holds some of them back.
sdks: $(SDKS)/newest/.ready $(SDKS)/previous/.ready ## capture with the newest clients, and with the majors before
	@for set in newest previous; do \
		PYTHONPATH=$(SDKS)/$$set $(BIN)/pytest -n auto --quiet --ignore-glob='*litellm*' tests/capture || exit 1; \
	done

coverage: $(TESTABLE) ## branch coverage of the tests
	@$(BIN)/pytest -n auto --quiet --cov --cov-report=term-missing

bench: $(READY) ## times and memory beside polars, duckdb and pandas; some minutes
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench,clients]'
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.bench

torture: $(READY) ## kills, stops, forks, rotations by the thousand; half an hour
	@TOKENUSAGE_TORTURE=long $(BIN)/pytest --quiet tests/torture

clean: ## remove what was built, but no logs
	rm -rf .venv .bench .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
