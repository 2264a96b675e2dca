# The commands of the README: each sets up all that it needs, below this folder.
#
#   make classify                        draws a small archive and classifies it
#   make classify ARCHIVE="/my films"    classifies yours; the result is views.parquet here,
#                                        or OUT=...; OPTIONS="--overwrite" and others are passed on
#   make bench                           measures against baselines: see docs/benchmarks.md;
#                                        OPTIONS="--rounds 1" and others are passed on
#   make test                            lints, type-checks and tests; MARKERS="not gpu" tests
#                                        also what is slow
#
# While you work on the code (see CONTRIBUTING.md):
#
#   make quick                           lints what changed and runs its tests
#   make lint                            ruff, mypy, import-linter
#   make fix                             ruff's own repairs and formatting; the reference pages
#   make docs                            writes the reference pages that are made from the code, and
#                                        the documentation site into site/: open site/index.html
#                                        (its search needs python3 -m http.server -d site)

ARCHIVE ?=
OUT ?= views.parquet
OPTIONS ?=
MARKERS ?= not gpu and not slow
PYTHON ?= python3
PIP := .venv/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: classify test bench quick lint fix docs clean

# A list of failures (exit code 1) is a result, not an error of make's.
ifeq ($(ARCHIVE),)
classify: .venv/inference
	@echo "Drawing an archive of radiographs in .demo/archive"
	@.venv/bin/python -m cxrview phantom .demo/archive --overwrite
	@.venv/bin/python -m cxrview classify .demo/archive --out .demo/views.parquet --overwrite --show || [ $$? -eq 1 ]
else
classify: .venv/inference
	@.venv/bin/python -m cxrview classify "$(ARCHIVE)" --out "$(OUT)" --show $(OPTIONS) || [ $$? -eq 1 ]
endif

test: lint
	.venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder -m "$(MARKERS)"

lint: .venv/test
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -m mypy
	.venv/bin/lint-imports

fix: .venv/test
	.venv/bin/python -m ruff check --fix
	.venv/bin/python -m ruff format
	.venv/bin/python .ci/reference_pages.py

quick: .venv/test
	.venv/bin/python .ci/quick.py

docs: .venv/test
	.venv/bin/python .ci/reference_pages.py
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --quiet

bench: .venv/bench
	.venv/bin/python benchmarks/throughput.py $(OPTIONS)

.venv/inference: pyproject.toml
	@echo "Making an environment in .venv"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --editable .
	@touch $@

# torch first and by version, so that nothing else chooses a larger build of it.
.venv/test: pyproject.toml
	@$(PYTHON) -m venv .venv
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install torch==2.13.0
	@$(PIP) install --editable ".[train,annotate,audit,postgresql,sr]" --group dev --group docs
	@touch $@

# With the plug-ins by which pydicom itself reads every transfer syntax, for the baseline.
.venv/bench: .venv/test
	@$(PIP) install --group bench
	@touch $@

clean:
	rm -rf .venv .demo .bench site
