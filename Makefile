# Needs Python 3.11 or newer; everything else is installed into .venv and .services.
# ARGS are passed on: make demo ARGS=--exit, make test ARGS="-k storage". PYTHON names an interpreter.

.DEFAULT_GOAL := help
.PHONY: help demo test test-services lint format docs screenshots bench clean product development documents

BIN := .venv/bin
SOURCES := src tests benchmarks scripts examples

help: ## lists these
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name sentence; do \
		printf 'make %-15s %s\n' "$$name" "$$sentence"; done

demo: product ## the four applications with an example project; ARGS=--exit ends it by itself
	@$(BIN)/python -m job_orchestra demo $(ARGS)

test: development test-services lint ## every check and every test
	$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

test-services: development ## finds or installs the servers and the browser that tests use
	@$(BIN)/python -m scripts.test_services

lint: development ## format, lint, types and import rules
	$(BIN)/python -m ruff format --check $(SOURCES)
	$(BIN)/python -m ruff check $(SOURCES)
	@$(BIN)/python -m pyright & pyright=$$!; $(BIN)/python -m mypy; mypy=$$?; wait $$pyright && exit $$mypy
	$(BIN)/lint-imports

format: development ## formats the sources and corrects what can be corrected
	$(BIN)/python -m ruff format $(SOURCES)
	$(BIN)/python -m ruff check --fix $(SOURCES)

docs: development documents ## writes the reference pages and builds the documentation in site/
	$(BIN)/python -m scripts.reference
	$(BIN)/python -m mkdocs build --strict --quiet

screenshots: development test-services ## takes the pictures of the website in docs/images anew
	@$(BIN)/python -m scripts.screenshots

bench: product ## measures speed, beside the limits of this machine
	@$(BIN)/python -m benchmarks $(ARGS)

clean: ## removes everything that was installed, built or cached here
	rm -rf .venv .services build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(SOURCES) -name __pycache__ -prune -exec rm -rf {} +

product development documents:
	@scripts/environment.sh $@
