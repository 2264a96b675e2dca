# The commands of the README: each sets up all that it needs, below this folder.
#
#   make classify                        draws a small archive and classifies it
#   make classify ARCHIVE="/my films"    classifies yours; the result is views.parquet here,
#                                        or OUT=...; OPTIONS="--overwrite" and others are passed on
#   make bench                           measures against baselines: see docs/benchmarks.md;
#                                        OPTIONS="--rounds 1" and others are passed on
#   make faults                          kills, full disks, clocks that jump, ...: see docs/faults.md;
#                                        RUNS=3 and FILES=50000 shorten it
#   make test                            lints, type-checks and tests; MARKERS="not gpu" tests
#                                        also what is slow
#
# While you work on the code (see CONTRIBUTING.md):
#
#   make quick                           lints what changed and runs its tests
#   make lint                            ruff, mypy, import-linter
#   make fix                             ruff's own repairs and formatting; the reference pages
#   make lock                            writes the exact versions and hashes of dependencies into
#                                        locks/; OPTIONS=--upgrade takes the newest
#   make packages                        builds wheel and sdist twice, installs them with the locked
#                                        and with the lowest versions, and classifies with each
#   make sbom                            writes the bill of materials sbom.cdx.json (CycloneDX)
#   make fuzz                            damages inputs of every reader for an hour, and keeps those
#                                        that fail in .fuzz; FUZZ_SECONDS=600 for another time
#   make docs                            writes the reference pages that are made from the code, and
#                                        the documentation site into site/: open site/index.html
#                                        (its search needs python3 -m http.server -d site)

ARCHIVE ?=
OUT ?= views.parquet
OPTIONS ?=
MARKERS ?= not gpu and not slow
FUZZ_SECONDS ?= 3600
PYTHON ?= python3
PIP := .venv/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: classify test bench faults fuzz lock packages sbom quick lint fix docs clean

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

lock: .venv/test
	@$(PIP) install --group supply-chain
	PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python .ci/lock.py $(OPTIONS)
	.venv/bin/python .ci/licences.py

packages: .venv/test
	@$(PIP) install --group supply-chain
	PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python .ci/packages.py

sbom: .venv/test
	@$(PIP) install --group supply-chain
	@for name in first sbom; do .venv/bin/cyclonedx-py requirements locks/runtime.txt --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file $$name.cdx.json; done
	@cmp first.cdx.json sbom.cdx.json && rm first.cdx.json

faults: .venv/test
	PYTHONPATH=tests .venv/bin/python -m faults all --runs $(or $(RUNS),100) --files $(or $(FILES),1000000)

fuzz: .venv/fuzz
	.venv/bin/python tests/fuzz/run.py --seconds $(FUZZ_SECONDS) $(OPTIONS)

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
	@$(if $(LOCK),$(PIP) install --no-deps --require-hashes --requirement $(LOCK))
	@$(PIP) install --editable ".[train,annotate,audit,serve,cluster,postgresql,sr]" --group dev --group docs
	@touch $@

# With the plug-ins by which pydicom itself reads every transfer syntax, for the baseline.
.venv/bench: .venv/test
	@$(PIP) install --group bench
	@touch $@

# atheris has no wheel for every platform and version of Python; without it the inputs are damaged
# without following which lines they reach.
.venv/fuzz: .venv/test
	@$(PIP) install --group fuzz || echo "atheris cannot be installed here"
	@touch $@

clean:
	rm -rf .venv .demo .bench .fuzz site
