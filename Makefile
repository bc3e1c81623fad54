# logintel: build, install, demo, tests. `make` alone lists the targets.
# PG_CONFIG=... chooses the server to install into, PYTHON=... the Python of the client's environment.
# EXTRAS=transformer installs what the server needs to run transformers.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Recursive, so that a server which `packages` has just installed is found: the newest of the distribution's.
PG_CONFIG ?= $(shell ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -n 1 | sed 's/postgres$$/pg_config/')
PYTHON ?= python3
VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" logintel.control)
SCRIPTS := build/scripts
PIP := .venv/bin/python -m pip --quiet --disable-pip-version-check
ENVIRONMENT := .venv/.installed
CLUSTER = PG_CONFIG="$(PG_CONFIG)" PYTHONPATH=loader PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/support/cluster.py

# Shell functions of the recipes that install.
define helpers
umask 022
say() { echo "logintel: $$*" >&2; }
fail() { say "$$*"; exit 1; }
one_at_a_time() { mkdir -p build; exec 9>build/lock; flock 9; }
server() {  # Set pkglibdir and extension, both with DESTDIR in front.
  [ -x "$$(command -v "$(PG_CONFIG)")" ] || fail "no PostgreSQL server found: install postgresql, or give PG_CONFIG=..."
  major=$$("$(PG_CONFIG)" --version | grep -oE '[0-9]+' | head -n 1)
  [ "$$major" -ge 15 ] || fail "PostgreSQL $$major is too old: logintel needs 15 or newer, give its PG_CONFIG=..."
  pkglibdir="$(DESTDIR)$$("$(PG_CONFIG)" --pkglibdir)"
  extension="$(DESTDIR)$$("$(PG_CONFIG)" --sharedir)/extension"
}
python_of_server() {  # Set python: X.Y of the Python inside PL/Python.
  plpython="$$("$(PG_CONFIG)" --pkglibdir)/plpython3.so"
  [ -e "$$plpython" ] || fail "PostgreSQL $$major has no PL/Python: install the package postgresql-plpython3-$$major, or do without: make install-sql"
  python=$$(ldd "$$plpython" | sed -nE 's/.*libpython(3\.[0-9]+).*=>.*/\1/p')
  [ -n "$$python" ] || fail "$$plpython names no libpython: give the PG_CONFIG=... of a server with a shared one"
}
as_owner() {  # Run a command that writes to the server's folders: by sudo only where that is needed.
  if [ "$$(id -u)" = 0 ] || [ -n "$(DESTDIR)" ] || [ -w "$$pkglibdir" -a -w "$$extension" ]; then "$$@"
  elif command -v sudo >/dev/null; then sudo "$$@"
  else fail "$$pkglibdir cannot be written: run make as root"; fi
}
compile() {  # Compile the Python files of a folder: the server may not write there and would compile at every start.
  program=$$(command -v "python$$python") || return 0
  "$$program" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$$1"
}
replace() {  # Put a copy of the folder $$2 in the place of $$1, at once.
  as_owner rm -rf "$$1.new" "$$1.old"
  as_owner cp -r "$$2" "$$1.new"
  [ ! -e "$$1" ] || as_owner mv -T "$$1" "$$1.old"
  as_owner mv -T "$$1.new" "$$1"
  as_owner rm -rf "$$1.old"
}
endef

.PHONY: pg-config help demo up dsn psql down clean test lint golden scripts bench eval models soak packages install install-sql install-libraries uninstall

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 12

# A password goes into the environment, never onto a command line, which everybody on the machine can read.
demo: packages $(ENVIRONMENT)  ## from nothing to predictions, on a private cluster; safe to run again
	@$(MAKE) --no-print-directory install up
	url="$$($(MAKE) -s dsn)"
	DATABASE_URL="$$url" .venv/bin/logintel demo

up:  ## start the private cluster
	@$(CLUSTER) up

dsn:  ## print the private cluster's connection string
	@$(CLUSTER) dsn

psql:  ## open psql on the private cluster
	@$(CLUSTER) psql

down:  ## stop the private cluster
	@$(CLUSTER) down

clean:  ## remove the private cluster with its data, build/ and .venv
	@$(CLUSTER) remove
	rm -rf build .venv *.egg-info

test: packages $(ENVIRONMENT)  ## run all tests; ARGS="-k word" goes to pytest
	@PG_CONFIG="$(PG_CONFIG)" .venv/bin/python -m pytest --container -n auto $(ARGS)

lint: packages $(ENVIRONMENT)  ## check the code without running it, and the bodies of functions on a server
	@.venv/bin/ruff check .
	PG_CONFIG="$(PG_CONFIG)" .venv/bin/python -m pytest -m lint -n 0 -q $(ARGS)

golden: packages $(ENVIRONMENT)  ## write tests/golden afresh, from what this checkout installs
	@PG_CONFIG="$(PG_CONFIG)" PYTHONPATH=tests .venv/bin/python tests/golden/renew.py

scripts:
	@PYTHONPATH=loader:plpython PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m logintel.installation $(SCRIPTS)

FIGURES = $(if $(JSON),--json "$(JSON)") $(if $(ONLY),--only "$(ONLY)") $(if $(SAVE),--save)

bench: packages $(ENVIRONMENT)  ## run the benchmarks; JSON=FILE, ONLY=pattern, SAVE=1
	@$(MAKE) --no-print-directory install
	PG_CONFIG="$(PG_CONFIG)" .venv/bin/python tests/bench/run.py $(FIGURES)

eval: packages $(ENVIRONMENT)  ## measure how right the models are; JSON=FILE, ONLY=pattern, SAVE=1
	@$(MAKE) --no-print-directory install
	PG_CONFIG="$(PG_CONFIG)" .venv/bin/python tests/eval/run.py $(FIGURES)

models: $(ENVIRONMENT)  ## build the default models again, from models/corpora and models/lexicon
	@.venv/bin/python -m logintel.defaults.build

soak: packages $(ENVIRONMENT)  ## run everything at once and count at the end, then count after each step; MINUTES=10
	@$(MAKE) --no-print-directory install
	PG_CONFIG="$(PG_CONFIG)" .venv/bin/python tests/soak/run.py --minutes "$(or $(MINUTES),10)"
	PG_CONFIG="$(PG_CONFIG)" .venv/bin/python tests/soak/random_run.py --minutes "$(or $(MINUTES),10)"

install: install-libraries install-sql  ## install both extensions into the server of PG_CONFIG=...
	@$(helpers)
	one_at_a_time; server; python_of_server
	rm -rf build/logintel_server
	install -m 644 -Dt build/logintel_server plpython/logintel_server/*.py
	compile build/logintel_server
	replace "$$pkglibdir/logintel/logintel_server" build/logintel_server
	as_owner rm -rf "$$pkglibdir/logintel/models"  # where 0.1.0 had the default models
	rm -rf build/extension
	install -m 644 -Dt build/extension $(SCRIPTS)/logintel_python--*.sql logintel_python.control
	sed -i "s|@PKGLIBDIR@|$$("$(PG_CONFIG)" --pkglibdir)|g" build/extension/*.sql
	as_owner install -m 644 -Dt "$$extension" build/extension/*
	say "installed $(VERSION) into PostgreSQL $$major; in a database: CREATE EXTENSION logintel_python CASCADE"

install-sql: scripts  ## install the extension logintel alone, into a server without PL/Python
	@$(helpers)
	one_at_a_time; server
	as_owner install -m 644 -Dt "$$extension" $(SCRIPTS)/logintel--*.sql logintel.control
	say "installed logintel $(VERSION) into PostgreSQL $$major; in a database: CREATE EXTENSION logintel"

# The server's packages, for the Python inside PL/Python; nothing to do where the same ones are there already.
install-libraries: .venv/bin/pip
	@$(helpers)
	one_at_a_time; server; python_of_server
	folder="$$pkglibdir/logintel"
	lists=plpython/requirements.txt
	# What was installed once stays installed.
	if [ "$(EXTRAS)" = transformer ] || grep -qs '^tokenizers==' "$$folder/.requirements"; then
	  lists="$$lists plpython/requirements-transformer.txt"
	fi
	wanted="$$(cat $$lists; echo "# Python $$python")"
	[ "$$wanted" != "$$(cat "$$folder/.requirements" 2>/dev/null)" ] || exit 0
	say "installing the packages of $$lists for PostgreSQL $$major (Python $$python)"
	rm -rf build/libraries
	$(PIP) install --only-binary=:all: --python-version "$$python" --no-deps --no-compile --target build/libraries \
	  $$(printf -- '--requirement %s ' $$lists) \
	  || fail "the packages of $$lists cannot be had for Python $$python, which PostgreSQL $$major embeds"
	compile build/libraries
	echo "$$wanted" >build/libraries/.requirements
	chmod -R u=rwX,go=rX build/libraries
	[ ! -e "$$folder/logintel_server" ] || cp -r "$$folder/logintel_server" build/libraries/
	as_owner mkdir -p "$$pkglibdir" "$$extension"
	replace "$$folder" build/libraries
	rm -rf build/libraries

uninstall:  ## remove both extensions from the server of PG_CONFIG=...; databases that use them must drop them first
	@$(helpers)
	server
	as_owner rm -rf "$$pkglibdir/logintel" "$$extension"/logintel{,_python}.control "$$extension"/logintel{,_python}--*.sql

.venv/bin/pip:
	@$(helpers)
	one_at_a_time
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || fail "$(PYTHON) is not Python 3.11 or newer: install one and give PYTHON=..."
	[ -x $@ ] || $(PYTHON) -m venv --clear .venv >/dev/null \
	  || fail "$(PYTHON) cannot make an environment: install the package python3-venv"

$(ENVIRONMENT): pyproject.toml | .venv/bin/pip
	@$(helpers)
	one_at_a_time
	[ ! $@ -nt pyproject.toml ] || exit 0
	say "installing the Python environment .venv (a minute or two)"
	$(PIP) install --editable '.[test]'
	touch $@

# For the tests, which must not choose another server than this file does.
pg-config:
	@echo "$(PG_CONFIG)"

# What a Debian or Ubuntu machine lacks, for tests with what reads function bodies. Nothing is touched where nothing is missing.
test lint: CHECKER := plpgsql_check
packages:
	@$(helpers)
	missing() {
	  $(PYTHON) -c 'import ensurepip' 2>/dev/null || echo python3-venv
	  [ -n "$(PG_CONFIG)" ] || { echo postgresql; return; }
	  folder=$$("$(PG_CONFIG)" --pkglibdir) || fail "$(PG_CONFIG) cannot be run: give the PG_CONFIG=... of a server"
	  major=$$("$(PG_CONFIG)" --version | grep -oE '[0-9]+' | head -n 1)
	  [ -e "$$folder/plpython3.so" ] || echo "postgresql-plpython3-$$major"
	  # A model's graph is first run by the program of the Python that PL/Python embeds, which depends on its library alone.
	  embedded=$$(ldd "$$folder/plpython3.so" 2>/dev/null | sed -nE 's/.*libpython(3\.[0-9]+).*=>.*/\1/p')
	  [ -z "$$embedded" ] || command -v "python$$embedded" >/dev/null || echo "python$$embedded-minimal"
	  [ -z "$(CHECKER)" ] || [ -e "$$folder/plpgsql_check.so" ] || echo "postgresql-$$major-plpgsql-check"
	}
	list=$$(missing) && list=$$(echo $$list)
	[ -n "$$list" ] || exit 0
	[ "$$list" != "$(TRIED)" ] || fail "apt-get installed $$list, yet it cannot be used"
	command -v apt-get >/dev/null || fail "install these packages first: $$list"
	sudo=$$([ "$$(id -u)" = 0 ] || command -v sudo) || fail "install these packages as root first: $$list"
	say "installing the packages $$list"
	mkdir -p build
	{ $$sudo apt-get update && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$list
	} >build/apt.log 2>&1 || { tail -n 5 build/apt.log >&2; fail "apt-get failed; see build/apt.log"; }
	$(MAKE) -s packages TRIED="$$list" CHECKER="$(CHECKER)"
