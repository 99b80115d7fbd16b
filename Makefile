# Every target sets up what it needs, on a fresh machine too; nothing has to be installed first but Python 3.11 and make.
#
#   make demo     a real MicroPython behind the bridge, no hardware
#   make test     the tests, on emulated boards; ARGS="-k name" goes to pytest
#   make check    everything that CI checks: test lint types imports
#   make bench    the measurements
#   make page     the page that browsers get, from bridge/page; needs Node.js 20.19 or newer
#   make screenshots   the pictures in docs/page
#   make boards   the emulated boards only: firmware, emulators (see CONTRIBUTING.md)
#   make clean    remove .venv and caches in the tree

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ARGS :=

# An environment of another place (a moved folder) or of a Python that is gone is made anew.
ifneq ($(shell cat $(INSTALLED) 2>/dev/null && $(BIN)/python -c "" 2>&1),$(CURDIR))
$(shell rm -f $(INSTALLED))
endif

PAGE := bridge/webrepl_bridge/frontends/page_files/index.html
PAGE_SOURCES := $(wildcard bridge/page/*.json bridge/page/*.ts bridge/page/index.html bridge/page/src/*)

.PHONY: demo test check lint types imports bench page screenshots boards clean

# A minus: where Node.js is missing, the bridge works all the same, and says what its page needs.
demo: $(INSTALLED)
	-@$(MAKE) --no-print-directory page
	$(BIN)/webrepl-bridge --demo $(ARGS)

test: $(INSTALLED) boards
	-@$(MAKE) --no-print-directory page
	$(BIN)/python -m pytest $(ARGS)

check: lint types imports test

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(INSTALLED)
	$(BIN)/mypy

imports: $(INSTALLED)
	$(BIN)/lint-imports

bench: $(INSTALLED) boards
	-@$(MAKE) --no-print-directory page
	$(BIN)/python -m bench $(ARGS)

page: $(PAGE)

$(PAGE): $(PAGE_SOURCES)
	cd bridge/page && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build

screenshots: $(INSTALLED) boards $(PAGE)
	$(BIN)/python tests/page/screenshots.py

boards: $(INSTALLED)
	tests/board_kit/prepare.sh

clean:
	rm -rf $(VENV) bridge/page/node_modules $(dir $(PAGE)) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(INSTALLED): pyproject.toml
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then break; fi; \
	  python=; \
	done; \
	[ -n "$$python" ] || { echo "Python 3.11 or newer is needed" >&2; exit 1; }; \
	echo "making $(VENV) with $$($$python --version)"; \
	$$python -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[demo]" --group test --group lint
	@echo "$(CURDIR)" > $@
