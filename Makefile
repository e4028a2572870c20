# The two commands: `make demo` and `make test`. Everything else is convenience.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TEST_READY := $(VENV)/.test-ready
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: demo test kernels lint bench bench-api fuzz serve clean browser postgis types

demo: $(READY)
	$(BIN)/redmap demo --out maps/sample

# Checked and compiled side by side, then tested: else each worker would compile the kernels for itself.
test: $(TEST_READY) browser postgis
	$(MAKE) --jobs=2 lint kernels
	$(BIN)/python -m pytest -n auto --dist worksteal

kernels: $(TEST_READY)
	$(BIN)/python -c 'from geo import pipeline as p; study = p.sample_study(); p.Session(study, p.run(study)).warm()'

lint: $(TEST_READY) types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Valhalla has an environment of its own, made by the benchmark (Python 3.12).
bench: $(TEST_READY)
	$(BIN)/python -m pip install --quiet --editable '.[service,print,database,test,bench]'
	$(BIN)/python -m tests.benchmarks

# The service under load, beside Valhalla's; wrk (a Debian package) offers it.
bench-api: $(TEST_READY)
	@command -v wrk >/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq wrk; }
	$(BIN)/python -m tests.benchmarks.api

# Ten thousand tables as nobody should send them; some fifteen minutes.
fuzz: $(TEST_READY)
	$(BIN)/python -m tests.fuzz --count 10000

serve: $(READY)
	$(BIN)/redmap serve data/sample

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[service,print]'
	touch $@

$(TEST_READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[service,print,database,test]'
	touch $(READY) $@

# Debian's browser drives the page tests, its Node those of the page's engine; Chinese needs a font.
browser:
	@{ command -v chromium >/dev/null || command -v chromium-browser >/dev/null; } && command -v node >/dev/null || \
	  { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq chromium fonts-wqy-microhei nodejs; }
	@command -v chromium-headless-shell >/dev/null || $(SUDO) apt-get install -y -qq chromium-headless-shell || \
	  echo "Chromium's headless shell is no package here: its tests drive the whole browser, at twice the time"
	@command -v firefox >/dev/null || command -v firefox-esr >/dev/null || $(SUDO) apt-get install -y -qq firefox-esr || \
	  echo "Firefox ESR is no package here: its test is skipped"

# Debian's TypeScript reads the JSDoc types of the page's scripts: what doesn't fit, and what none uses.
types:
	@command -v tsc >/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq node-typescript; }
	tsc --project jsconfig.json

# A real PostGIS, started by the tests in a folder of their own, answers the tests of stations in a database.
postgis:
	@ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || \
	  { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq postgresql postgresql-postgis; }

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis maps/sample
