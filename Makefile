# The developer's commands. CI runs the same targets.
.DEFAULT_GOAL := help
.PHONY: help setup lab down check format test test-deep histories planted mutants chaos extension pictures bench-seats plan lock clean

BIN := .venv/bin
# The tests start hundreds of Python programs. Without bytecode each one compiles its modules again.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/python -m pytest
# A file's tests share what they bring up: they stay together.
AT_ONCE := -n 2 --dist loadfile
MINUTES := 60
# Where the worker's cookbook has the extension of students' pages.
LAID := cookbooks/labswarm_worker/files/default/jupyterlab-labswarm

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install missing packages (as root: system packages too)
	@lab/setup.sh --check

lab: ## start the whole system on this machine
	@lab/setup.sh --link
	@$(BIN)/labswarm lab up

down: ## end the lab, leave nothing behind
	@$(BIN)/labswarm lab down

check: setup ## run lint, types, static checks, unit tests and the infrastructure offline
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/yamllint --strict .
	$(BIN)/shellcheck --exclude SC1091 $$(git ls-files "*.sh") cookbooks/labswarm_base/files/default/labswarm-local-converge \
		cookbooks/labswarm_worker/files/default/labswarm-student-firewall .ci/run
	$(PYTEST) -q $(AT_ONCE) -m "not deep and not slow" tests/unit tests/infrastructure

test: check ## run everything: check, contracts, integration, and end to end on a real Swarm
	$(PYTEST) -q $(AT_ONCE) -m "slow and not deep" tests/infrastructure
	$(PYTEST) $(AT_ONCE) --durations=20 -m "not deep" tests/contract tests/emulator tests/integration tests/e2e

test-deep: setup ## run the tests that take minutes each (DEEP=an expression of pytest's -k)
	$(PYTEST) -m deep $(if $(DEEP),-k "$(DEEP)") tests

histories: setup ## print how much of states, faults and other machines 1,200 histories meet
	$(BIN)/python -m tests.simulation.histories

planted: setup ## plant faults of the past, and print what finds each
	$(BIN)/python -m tests.simulation.planted

mutants: setup ## change the code at random, and print the changes that no test notices (COUNT=200, SEED=1)
	$(BIN)/python -m tests.support.mutation --count $(or $(COUNT),200) --seed $(or $(SEED),1)

chaos: setup ## inject faults into a class on a real Swarm for an hour (MINUTES=60, SEED=a number)
	$(BIN)/python -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

format: ## format and fix with ruff
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

extension: ## build the extension of students' pages, after a change of hub/labextension
	PATH=$(CURDIR)/.class/bin:$$PATH npm --prefix hub/labextension run --silent build
	# In place: a lab that is up has the folder mounted.
	mkdir -p $(LAID) && rm -rf $(LAID)/*
	cp -r hub/labextension/labextension/. $(LAID)

pictures: ## draw docs/images again (RECORD=1: from a new recording of a real lab, as root)
	$(BIN)/python -m tests.support.pictures $(if $(RECORD),record)

bench-seats: ## write docs/explanation/policies.md again, after a change of lab hours
	$(BIN)/python -m bench.scenarios

plan: ## plan the lab's cluster again, after a change of terraform-base or lab/lab.tfvars
	.infra/bin/python -m tests.infrastructure.terraform plan terraform-base/stacks/cluster --json --var-file lab/lab.tfvars \
		| $(BIN)/python -m labswarm_lab.plan > plan.part && mv plan.part lab/labswarm_lab/cluster.plan.json

LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--quiet --custom-compile-command "make lock"
WITHOUT := --override requirements/overrides

lock: ## write the lock files from pyproject.toml and requirements/*.in
	$(LOCK) requirements/bootstrap.in -o requirements/bootstrap.lock
	$(LOCK) pyproject.toml --extra node --extra labs --extra lab --extra png requirements/dev.in $(WITHOUT) -o requirements/lab.lock
	$(LOCK) requirements/class.in $(WITHOUT) -o requirements/class.lock
	$(LOCK) requirements/infra.in -o requirements/infra.lock
	$(LOCK) --no-deps requirements/examples.in -o requirements/examples.lock
	$(LOCK) packer/scripts/node-requirements.in -c requirements/lab.lock -o packer/scripts/node-requirements.lock
	$(LOCK) packer/scripts/aws-cli-requirements.in -o packer/scripts/aws-cli-requirements.lock
	$(LOCK) layers/labswarm/requirements.in -c requirements/lab.lock -o layers/labswarm/requirements.txt
	for folder in hub/proxy hub/labextension tests/infrastructure; do \
		PATH=$(CURDIR)/.class/bin:$$PATH npm --prefix $$folder install --package-lock-only --silent; done

clean: ## remove build results (not a lab that is up)
	rm -rf .venv .class .infra .aws-sam hub/proxy/node_modules hub/labextension/node_modules tests/infrastructure/node_modules build *.egg-info
