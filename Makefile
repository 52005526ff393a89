# Everything needs only python3 and make; each target makes the environment it needs.
PYTHON ?= python3
ARGS ?=
WORKERS ?= 2

PIP_INSTALL = -m pip install --quiet --disable-pip-version-check
SOURCES = setup.cfg setup.py pyproject.toml
# install_requires of setup.cfg with every `>=` turned into `==`
LOWER_BOUNDS = sed -n '/^install_requires/,/^$$/s/^ *\([a-z]*\)[^>]*>=\(.*\)$$/\1==\2/p' setup.cfg

.PHONY: help test test-minimum demo docs lint format benchmark benchmark-peer clean

help:
	@echo "make test          run all tests and doctests"
	@echo "make demo          count the objects in real pictures; results in demo-output/"
	@echo "make docs          build the documentation into docs/_build/html"
	@echo "make lint          check style; make format repairs what it can"
	@echo "make test-minimum  run the tests on the oldest supported dependencies, without numba"
	@echo "make benchmark     print speeds beside SciPy's"
	@echo "make benchmark-peer  print speeds beside those of the public dask-image package"
	@echo "make clean         remove environments, caches and results"

.venv/ready: $(SOURCES)
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP_INSTALL) --editable '.[complete,docs,test]'
	touch $@

.venv-minimum/ready: $(SOURCES)
	$(PYTHON) -m venv --clear .venv-minimum
	$(LOWER_BOUNDS) > .venv-minimum/constraints.txt
	.venv-minimum/bin/python $(PIP_INSTALL) --constraint .venv-minimum/constraints.txt \
		--editable '.[dataframe,distributed,test]'
	touch $@

test: .venv/ready
	.venv/bin/python -m pytest -n $(WORKERS) $(ARGS)

test-minimum: .venv-minimum/ready
	.venv-minimum/bin/python -m pytest -n $(WORKERS) tests $(ARGS)

demo: .venv/ready
	.venv/bin/python docs/examples/count_objects.py demo-output

docs: .venv/ready
	rm -rf docs/api/generated
	.venv/bin/python -m sphinx -W --keep-going -q docs docs/_build/html

lint: .venv/ready
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .

format: .venv/ready
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .

benchmark: .venv/ready
	.venv/bin/python benchmarks/ratios.py $(ARGS)

# The public package has this one's import name, so it gets an environment of its own.
.venv-peer/ready:
	$(PYTHON) -m venv .venv-peer
	.venv-peer/bin/python $(PIP_INSTALL) dask-image 'dask[dataframe]'
	touch $@

benchmark-peer: .venv/ready .venv-peer/ready
	.venv/bin/python benchmarks/against_dask_image.py .venv-peer/bin/python $(ARGS)

clean:
	rm -rf .venv .venv-minimum .venv-peer .pytest_cache .ruff_cache .hypothesis build dist demo-output
	rm -rf docs/_build docs/api/generated *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
