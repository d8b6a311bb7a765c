# The contract of docs: setup run test check audit bench bench-small shots backup restore lock assets totp.
# Needs Python 3.11 (with venv), make and git; everything else comes from PyPI and npm.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PY := $(VENV)/bin/python
PYTHON ?= $(shell for p in python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
PORT ?= 8000
export PORT
export PYTHONUNBUFFERED = 1
# Many of the targets start Python again and again; without kept bytecode each start compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE
ARGS ?=

INSTALL = $(if $(PYTHON),"$(PYTHON)",$(error Python 3.11 or later is not on the PATH)) scripts/install.py --venv "$(VENV)"

.PHONY: help setup run test check audit bench bench-small shots backup restore lock assets totp

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 22

$(VENV)/.runtime: requirements.txt requirements-uv.txt scripts/install.py
	@$(INSTALL) requirements.txt
	@touch "$@"

$(VENV)/.dev: requirements-dev.txt requirements-uv.txt scripts/install.py
	@$(INSTALL) requirements-dev.txt
	@touch "$@" "$(VENV)/.runtime"

var/vendor/.done: $(wildcard frontend/*.json) scripts/assets.py requirements-node.txt | $(VENV)/.runtime
	@$(PY) -m scripts.assets
	@touch "$@"

setup: $(VENV)/.dev var/vendor/.done ## install everything for work on the product

run: $(VENV)/.runtime var/vendor/.done ## start the product at http://localhost:8000 (PORT=...)
	@exec $(PY) -m config.embedded --with-parent

test: $(VENV)/.dev var/vendor/.done ## the whole suite: PostgreSQL, Redis, browser, SMTP; then SQLite
	$(PY) -m scripts.suite $(ARGS)

check: $(VENV)/.dev var/vendor/.done ## lint, types, import contracts, migrations, catalogue
	$(PY) -m scripts.check

audit: $(VENV)/.dev ## known weaknesses of what we depend on
	$(PY) -m scripts.audit

bench: $(VENV)/.dev ## benchmarks, long form -> bench/results/latest.json
	$(PY) -m bench.run

bench-small: $(VENV)/.dev ## benchmarks, short form for CI
	$(PY) -m bench.run --small

shots: $(VENV)/.dev var/vendor/.done ## screenshots of every page -> var/shots/
	$(PY) -m scripts.shots $(ARGS)

backup: $(VENV)/.runtime ## a consistent copy -> var/backups/
	@$(PY) manage.py backup $(ARGS)

restore: $(VENV)/.runtime ## make restore FILE=var/backups/....tar.gz
	@test -n "$(FILE)" || { echo 'Say which copy: make restore FILE=var/backups/NAME.tar.gz' >&2; exit 2; }
	@$(PY) manage.py restore "$(FILE)" $(ARGS)

lock: $(VENV)/.dev ## renew the lock files from the .in files and frontend/package.json
	$(PY) -m scripts.lock

assets: $(VENV)/.runtime ## fetch the front-end files again (WRITE=1 renews their list)
	$(PY) -m scripts.assets $(if $(WRITE),--write)
	@touch var/vendor/.done

totp: $(VENV)/.runtime ## the demo sign-ins and their current one-time codes
	@$(PY) manage.py seed_demo --print
