# Two commands do everything on a machine that has only Python >= 3.11 and make:
#   make demo [DOCS=folder-or-files] [QUESTION="..."] [UPSTREAM=http://localhost:11434/v1]
#   make test [ARGS="..."]
# and for those who work on it: make lint, make record, make bench [ARGS=--quick], make soak [ARGS="--minutes 5"]
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

export DOCS QUESTION UPSTREAM MODEL EMBED_MODEL

.PHONY: demo test lint record bench soak clean

demo: $(VENV)/.has-demo
	@$(BIN)/python -m examples.demo

test: $(VENV)/.has-test
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.has-dev
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/mypy tests/typing && $(BIN)/lint-imports

record: $(VENV)/.has-test
	@$(BIN)/python -m pytest --record-mode=rewrite tests -m vcr

bench: .venv-bench/.ready
	@.venv-bench/bin/python -m benchmarks.speed $(ARGS)

# The clients of others that ours is measured with want an environment of their own.
.venv-bench/.ready: benchmarks/requirements.txt pyproject.toml
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[all]" -r $<
	@touch $@

soak: $(VENV)/.has-test
	@$(BIN)/python -m benchmarks.soak $(ARGS)

clean:
	rm -rf $(VENV) .venv-bench dist build

$(BIN)/python:
ifdef UV
	@$(UV) venv --quiet --python $(PYTHON) $(VENV)
else
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
endif

# One stamp per dependency group: a second run installs nothing.
$(VENV)/.has-%: pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) for '$*' (once) ..."
ifdef UV
	@$(UV) pip install --quiet --python $(BIN)/python --editable ".[all]" --group $*
else
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[all]" --group $*
endif
	@touch $@
