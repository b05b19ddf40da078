# make run opens the window, make test proves the program; both make .venv first. make test-all does
# also what takes longer than anybody waits: kills, soaks, hours of a monkey.

export PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
BENCHES := startup decode map train quick exact explore lessons responsiveness
# Measure on the screen of whoever sits here; without one, on a virtual screen.
SCREEN := $(if $(DISPLAY)$(WAYLAND_DISPLAY),,.ci/with-xvfb)

# Tests start many processes, of which each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-all lint bench screenshots clean

run: $(INSTALLED)
	$(BIN)/vae-explorer

test test-all: lint
	.ci/linux-packages test
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(if $(filter test-all,$@),,-m "not long")

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED)
	$(if $(SCREEN),.ci/linux-packages test)
	@for name in $(BENCHES); do $(SCREEN) $(BIN)/vae-explorer bench $$name || exit 1; done

screenshots: $(INSTALLED)
	.ci/linux-packages test
	.ci/with-xvfb $(BIN)/python -m vae_explorer.gui.screenshots build/screenshots

clean:
	rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	.ci/linux-packages run
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@
