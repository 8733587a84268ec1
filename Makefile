# Lookout: the developer's commands. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
MACHINE_PATH := $(PATH)
export PATH := $(CURDIR)/$(BIN):$(PATH)
# A cached byte code file is not a mess: without them every start of the CDK app compiles its library again.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
# What Lambda's Python runtime brings, so that the vendor layer must not.
IN_LAMBDA := botocore boto3 s3transfer jmespath python-dateutil six urllib3
UV_COMPILE := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev up down test lint synth deploy destroy bench lock clean

help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: setup ## Everything on this machine: local AWS, demo servers, the real deployment, a live view (ARGS=--detach to return)
	@$(BIN)/lookout local up $(ARGS)

down: ## End what `make up` started; its data is kept (ARGS=--purge to remove it)
	@if [ -x $(BIN)/lookout ]; then $(BIN)/lookout local down $(ARGS); else echo "Nothing was ever started here."; fi

test: setup-dev ## Every check there is: lint, types, tests, end to end, browser, coverage
	@$(BIN)/python scripts/check.py $(ARGS)

lint: setup-dev ## Only what needs no running: format, lint, types, import rules
	@$(BIN)/python scripts/check.py --lint $(ARGS)

synth: setup ## Write the CloudFormation templates to cdk.out, without a network or credentials
	@mkdir -p .local/logs
	@JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20,21,22,23,24 npx --no-install cdk synth --quiet \
	    -c templates=true -c config=$(or $(CONFIG),lookout.yaml) $(ARGS) >.local/logs/synth.log 2>&1 || { cat .local/logs/synth.log; exit 1; }
	@echo "The templates are in cdk.out."

deploy: setup ## Deploy lookout.yaml (CONFIG=other.yaml) to the AWS account whose credentials you have
	@$(BIN)/lookout deploy --config $(or $(CONFIG),lookout.yaml) $(ARGS)

destroy: setup ## Remove it from that account again; the history tables are kept
	@$(BIN)/lookout destroy --config $(or $(CONFIG),lookout.yaml) $(ARGS)

bench: setup-dev ## Run the benchmarks and print their tables
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

setup: ## Install what running needs, into this folder only
	@PATH="$(MACHINE_PATH)" $(PYTHON) scripts/setup.py

setup-dev:
	@PATH="$(MACHINE_PATH)" $(PYTHON) scripts/setup.py --dev

lock: setup-dev ## Write the lock files anew from pyproject.toml
	@$(UV_COMPILE) pyproject.toml --group local -o requirements.txt
	@$(UV_COMPILE) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	@$(UV_COMPILE) --group pyproject.toml:ministack -o requirements-local.txt
	@$(UV_COMPILE) --group pyproject.toml:node -o requirements-node.txt
	@for list in tests/servers/real/environments/*.in; do $(UV_COMPILE) "$$list" -o "$${list%.in}.txt" || exit 1; done
	@$(UV_COMPILE) --group pyproject.toml:action -c requirements.txt -o requirements-action.txt
	@$(UV_COMPILE) layers/vendor/requirements.in -c requirements.txt $(addprefix --no-emit-package ,$(IN_LAMBDA)) \
		-o layers/vendor/requirements.txt

clean: down ## Remove everything that was installed or built
	@rm -rf .venv .local node_modules cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
