# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := bash
.DEFAULT_GOAL := help

# The interpreter that the virtual environment is made from.
PYTHON ?= python3
# Which machines the laboratory has: modern, document, mak (computers for MAKs, of mixed editions), isolated (in a workgroup, no Samba)
LAB_PARK ?= modern
# How the inventory reaches them: winrm_ntlm, winrm_kerberos, winrm_basic_tls, psrp_negotiate, psrp_kerberos, and by
# certificate or CredSSP as tests/lab/inventory.py lists
LAB_CONNECTION ?= winrm_ntlm
# How many domain controllers: 1, 2
LAB_CONTROLLERS ?= 1
# Several sites: zones (of one domain), domains (one for each), or nothing for the single site
LAB_SITES ?=
# Whether there is a BIND beside Active Directory: yes, or nothing
LAB_BIND ?=
# What make play runs (nothing for what suits the laboratory), and with which further arguments of ansible-playbook
PLAY ?=
ARGS ?=

# How many hosts make scale has
SIZE ?= 10000

# How many schedules make soak-long has, and the seed of the first one
SCHEDULES ?= 500
FIRST ?= 1

# Which parsers make fuzz has, with commas between them, or nothing for all; and how many inputs each gets at most, or nothing
ONLY ?=
INPUTS ?=

# How long a soak goes on, and what its random choices come from: drawn anew each time, and printed
MINUTES ?= 180
SEED ?= $(shell date +%s)

build := $(CURDIR)/build
venv := $(build)/venv
quick_venv := $(build)/venv-quick
collection := $(build)/collections/ansible_collections/winops/volume_activation
in_venv := PATH="$(venv)/bin:$$PATH"
in_quick_venv := PATH="$(quick_venv)/bin:$$PATH"
# Checkers keep caches and logs in the home folder.
in_collection := cd "$(collection)" && HOME="$(build)/home" $(in_venv)

export LAB_PARK LAB_CONNECTION LAB_CONTROLLERS
export ANSIBLE_COLLECTIONS_PATH := $(build)/collections
export ANSIBLE_HOME := $(build)/home/.ansible
# Byte code is kept, whatever the environment says: without it each of the many processes compiles all that it imports.
export PYTHONPYCACHEPREFIX := $(build)/cache/python
export PYTHONDONTWRITEBYTECODE :=
export LC_ALL := C.UTF-8
export GATE_STARTED := $(shell date +%s)

.PHONY: help setup setup-quick setup-newest setup-peers setup-microsoft-ad stage demo lab-up lab-down play bundle docs release quick test soak soak-long fuzz scale bench lint lint-python lint-shell \
	lint-ansible lint-docs lint-changelog lint-licenses \
	types unit sanity integration format clean distclean

help: ## This list
	@sed -nE 's/^([a-z-]+):.* ## (.*)/\1 \2/p' Makefile | while read -r name what; do printf 'make %-12s %s\n' "$$name" "$$what"; done

setup: ## Debian packages (as root) and Python packages, under build/venv; other targets do it too
	@tests/setup/environment.sh "$(build)" "$(venv)" "$(PYTHON)"

stage: setup ## The collection as Ansible finds it, under build/collections
	@"$(venv)/bin/python" -I -S tests/setup/stage.py "$(collection)"

setup-quick: ## What make quick needs, under build/venv-quick: without root, Debian packages or a compiler
	@tests/setup/environment.sh "$(build)" "$(quick_venv)" "$(PYTHON)" quick.txt

setup-newest: setup ## A second environment, build/venv-newest, where Python 3.13 is found
	@tests/setup/newest.sh "$(build)" "$(build)/venv-newest"

setup-peers: setup ## The environment of make bench, build/venv-peers, with the package ansible; needs Python 3.12 or 3.13
	@tests/setup/peers.sh "$(build)" "$(build)/venv-peers"

setup-microsoft-ad: setup ## The collection microsoft.ad, whose inventory plugin the documentation shows, under build/microsoft-ad
	@tests/setup/microsoft_ad.sh "$(build)" "$(venv)"

demo: stage ## Starts the laboratory, runs the main job, shows the result, stops the laboratory
	@cd tests && $(in_venv) python -m lab.demo

lab-up: stage ## All of Contoso, left running (LAB_PARK, LAB_CONNECTION, LAB_CONTROLLERS, LAB_SITES, LAB_BIND)
	@cd tests && $(in_venv) python -m lab up --root "$(build)/lab" --park "$(LAB_PARK)" --connection "$(LAB_CONNECTION)" --controllers "$(LAB_CONTROLLERS)" --sites "$(LAB_SITES)" $(if $(LAB_BIND),--bind)

lab-down: setup ## Stops it
	@cd tests && $(in_venv) python -m lab down --root "$(build)/lab"

play: export ANSIBLE_STDOUT_CALLBACK ?= winops.volume_activation.fleet
play: stage ## A playbook against the running laboratory, by default the one that suits it: make play PLAY=audit ARGS="--check --diff"
	@test -e build/lab/env || { echo 'The laboratory is not running: make lab-up' >&2; exit 1; }
	@. build/lab/env && $(in_venv) ansible-playbook -i build/lab/inventory.yml "winops.volume_activation.$(or $(PLAY),$$LAB_PLAY)" $(ARGS)

bundle: stage ## The collection with all that it needs, for a control node without a network, as build/winops-volume_activation-bundle-*.tar.gz
	@tests/setup/bundle.sh "$(build)" "$(venv)" "$(collection)"

docs: stage ## The documentation as a site, under build/docs
	@$(in_venv) python tests/setup/docsite.py "$(build)" "$(collection)"

release: stage ## Changelog and artifact of the version in galaxy.yml, checked as Galaxy does; publishes nothing
	@$(in_venv) tests/setup/release.sh "$(build)" "$(collection)"

quick: setup-quick ## What shows most mistakes in a minute, without root: ruff, mypy, the tests of the tier quick
	$(in_quick_venv) ruff check --quiet
	$(in_quick_venv) ruff format --check --quiet
	$(in_quick_venv) mypy --cache-dir build/cache/mypy-quick
	$(in_quick_venv) pytest -q -n 2 --tier quick tests/unit $(ARGS)

test: stage ## The gate, 15 minutes: every check, and the tests of the tiers quick and test
	+@"$(venv)/bin/python" tests/setup/gate.py "$(build)"

soak: stage setup-newest setup-peers setup-microsoft-ad bundle ## The tests of the tier soak: make soak MINUTES=60 SEED=7
	@echo 'soak: $(MINUTES) minutes, SEED=$(SEED)'
	@SOAK_SEED=$(SEED) $(in_venv) pytest -n 2 --dist loadfile --no-loadscope-reorder --tier soak --hypothesis-seed=$(SEED) \
		--end-by=$$(($(GATE_STARTED) + 60 * $(MINUTES))) --durations=25 $(ARGS) tests

soak-long: stage ## Schedules of the crash test, hours long; goes on where it was interrupted: make soak-long SCHEDULES=500 FIRST=1 ARGS="--only mak_independent"
	@cd tests && $(in_venv) python -m crash --seed $(FIRST) --schedules $(SCHEDULES) --resume "$(build)/crash/soak-long.json" $(ARGS)

fuzz: stage ## Changed inputs for every parser of the collection, a minute for each; a seed repeats an input: make fuzz MINUTES=10 SEED=7 INPUTS=1 ONLY=faults,dns
	@cd tests && PYTHONPATH="$(build)/collections" $(in_venv) python -m fuzz --minutes "$(if $(filter-out file,$(origin MINUTES)),$(MINUTES),1)" \
		$(if $(filter-out file,$(origin SEED)),--seed "$(SEED)") $(if $(INPUTS),--inputs "$(INPUTS)") $(if $(ONLY),--only "$(ONLY)") $(ARGS)

scale: stage ## Survey and playbooks over thousands of canned hosts, beside a bare script and an empty action, to build/scale.json: make scale SIZE=2000 ARGS="--only audit"
	@ulimit -n 4096 && cd tests && $(in_venv) python -m scale --size "$(SIZE)" --build "$(build)" $(ARGS)

bench: stage setup-peers ## The collection side by side with PowerShell modules and nsupdate, to build/bench.json: make bench ARGS="--only licensing --rounds 3 --hosts 20"
	@test -x "$(build)/venv-peers/bin/python" || { echo 'The bench needs Python 3.12 or 3.13.' >&2; exit 1; }
	@cd tests && PATH="$(build)/venv-peers/bin:$$PATH" python -m bench --build "$(build)" $(ARGS)

lint: lint-python lint-shell lint-ansible lint-docs lint-changelog lint-licenses ## ruff, shellcheck, ansible-lint, antsibull-docs, antsibull-changelog, reuse

lint-python: setup
	$(in_venv) ruff check --quiet
	$(in_venv) ruff format --check --quiet

lint-shell: setup
	$(in_venv) shellcheck .ci/run tests/setup/*.sh tests/setup/bundle/*.sh

lint-ansible: stage
	$(in_collection) ansible-lint --offline --nocolor

lint-docs: stage
	$(in_collection) antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck --validate-collection-refs all .

lint-changelog: stage
	$(in_collection) antsibull-changelog lint

lint-licenses: setup
	$(in_venv) reuse lint --quiet

types: setup ## mypy
	$(in_venv) mypy

unit: stage ## Unit tests, the layer check among them: make unit ARGS="-k dns"
	$(in_venv) pytest -n 2 --tier quick,test --junitxml=build/log/unit.xml tests/unit $(ARGS)

sanity: stage ## ansible-test sanity: make sanity ARGS="--test validate-modules"
	$(in_venv) tests/setup/sanity.sh "$(build)" "$(collection)" $(ARGS)

integration: stage ## Tests on the laboratory, which they start and stop
	$(in_venv) pytest -n 2 --dist loadfile --no-loadscope-reorder --tier quick,test --junitxml=build/log/integration.xml tests/integration $(ARGS)

format: setup ## Lets ruff lay out the Python files and mend what it can
	$(in_venv) ruff check --fix
	$(in_venv) ruff format

clean: ## Removes what was made, except for environments and compiled wheels, which take long
	@if [ -e build/lab ] && [ -e "$(venv)" ]; then $(MAKE) --no-print-directory lab-down; fi
	@for made in build/*; do case $$made in build/venv | build/venv-quick | build/venv-newest | build/venv-peers | build/microsoft-ad | build/wheels | build/home) ;; *) rm -rf "$$made" ;; esac; done

distclean: clean ## Removes all of build/
	@rm -rf build
