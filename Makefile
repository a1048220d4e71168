# Two commands: `make repro` runs the study, `make test` checks the code. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

export PATH := $(CURDIR)/$(BIN):$(PATH)
export NO_ALBUMENTATIONS_UPDATE := 1
export DO_NOT_TRACK := 1

.PHONY: repro test test-deep lint setup profile flow deploy check-pipeline help

help:
	@echo "make repro   set up, run the pipeline of dvc.yaml with params.yaml, JOBS=2 stages at once, print the results"
	@echo "make test    set up, then ruff, mypy and pytest"
	@echo "make test-deep   the tests that take longest"
	@echo "make setup   only set up .venv"
	@echo "make lint    ruff and mypy"
	@echo "make flow    the same pipeline as a Prefect flow, independent stages side by side"
	@echo "make check-pipeline   what CI asks of the pipeline, as a table"
	@echo "make deploy  Prefect server, work pools, deployments and workers, until Ctrl-C; HOST=0.0.0.0: for other machines, too"
	@echo "make profile P=fer2013   put params/fer2013.yaml in force, take away what it does not write"

setup: $(READY)

# The stamp comes last, so that an interrupted installation starts again.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@test -e .git || { echo "this folder is no git checkout; dvc needs one: git clone, or git init"; exit 1; }
	$(PYTHON) -m venv .venv
	@echo "installing pinned packages into .venv (about 6 GB, a minute or two with a near mirror)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade -c constraints.txt pip
	PYTHONWARNINGS=ignore $(BIN)/pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e ".[dlib,flows,dask,docker,kubernetes,tune,dev]"
	@touch $(READY)

JOBS ?= 2
repro: $(READY)
	@$(BIN)/python -m flows.repro --jobs $(JOBS)
	@$(BIN)/python -m fer_pipeline.report --show metrics/summary.json

profile: $(READY)
	@$(BIN)/python -m flows.profiles $(P)

flow: $(READY)
	@$(BIN)/python -m flows $(T)

deploy: $(READY)
	@$(BIN)/python -m flows.deploy $(if $(HOST),--host $(HOST))

AGAINST ?= main
check-pipeline: $(READY)
	@$(BIN)/python -m flows.check --against $(AGAINST) $(if $(COMMENT),--comment $(COMMENT))

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -n 3 --dist loadgroup --durations=15 -m "not deep"

test-deep: $(READY)
	$(BIN)/pytest -n 2 --dist loadgroup -m deep
