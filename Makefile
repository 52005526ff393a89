# Everything needs only python3 and make; each target makes the environment it needs.
PYTHON ?= python3
ARGS ?=
WORKERS ?= 2
SAMPLE ?= 0
CASES ?= 50000
LARGE_CASES ?= 500
SEED ?= 1

PIP_INSTALL = -m pip install --quiet --disable-pip-version-check
SOURCES = setup.cfg setup.py pyproject.toml
# What setup.cfg requires, for extras too, with every `>=` turned into `==`
LOWER_BOUNDS = sed -n 's/^    \([a-z0-9-]*\)[^>]*>=\(.*\)$$/\1==\2/p' setup.cfg

.PHONY: help test test-minimum test-minimum-complete test-query-planning fuzz coverage demo docs
.PHONY: lint types stubs format package
.PHONY: benchmark compare slower scale scale-short clean

help:
	@echo "make test          run all tests and doctests; make test SAMPLE=3 runs at most 3 sets of"
	@echo "                   parameters of each test"
	@echo "make coverage      run all tests, and fail if they leave too much of the code out"
	@echo "make demo          count the objects in real pictures; results in demo-output/"
	@echo "make fuzz          try 50,500 random calls against SciPy; make fuzz CASES=2000 SEED=7"
	@echo "make docs          build the documentation into docs/_build/html"
	@echo "make lint          check style, spelling and types; make format repairs what it can"
	@echo "make types         check types alone; make stubs writes those of adapters"
	@echo "make package       build wheel and sdist into dist/, check and install both"
	@echo "make test-minimum  run the tests on the oldest supported dependencies, without numba"
	@echo "make test-minimum-complete  the same with numba and other extras, their oldest versions too"
	@echo "make test-query-planning  run every function on arrays of Dask's query planning"
	@echo "make benchmark     print speeds beside SciPy's"
	@echo "make compare       print the table of speeds beside SciPy, OpenCV and others"
	@echo "make slower        print which functions are slower than SciPy's"
	@echo "make scale         run families under a memory cap of an eighth of their image"
	@echo "make scale-short   run some of them in a minute, as CI does"
	@echo "make clean         remove environments, caches and results"

.venv/ready: $(SOURCES)
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP_INSTALL) --editable '.[complete,docs,lint,test]'
	touch $@

.venv-minimum/ready: EXTRAS = dataframe,distributed,test
.venv-minimum-complete/ready: EXTRAS = complete,test
.venv-minimum/ready .venv-minimum-complete/ready: $(SOURCES)
	$(PYTHON) -m venv --clear $(@D)
	$(LOWER_BOUNDS) > $(@D)/constraints.txt
	$(@D)/bin/python $(PIP_INSTALL) --constraint $(@D)/constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

test: .venv/ready
	.venv/bin/python -m pytest -n $(WORKERS) --dist worksteal --sample $(SAMPLE) $(ARGS)

test-minimum test-minimum-complete: test-%: .venv-%/ready
	.venv-$*/bin/python -m pytest -n $(WORKERS) --dist worksteal --sample $(SAMPLE) tests $(ARGS)

test-query-planning: .venv/ready
	DASK_ARRAY__QUERY_PLANNING=True .venv/bin/python -m pytest tests/test_query_planning.py $(ARGS)

coverage: .venv/ready
	.venv/bin/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term:skip-covered $(ARGS)

fuzz: .venv/ready
	.venv/bin/python -m tests.fuzz --cases $(CASES) --seed $(SEED)
	.venv/bin/python -m tests.fuzz --large --cases $(LARGE_CASES) --seed $(SEED)

demo: .venv/ready
	.venv/bin/python docs/examples/count_objects.py demo-output

docs: .venv/ready
	rm -rf docs/api/generated docs/gallery
	.venv/bin/python -m sphinx -W --keep-going -q docs docs/_build/html
	.venv/bin/python docs/check_links.py docs/_build/html

lint: .venv/ready types
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	git ls-files -z | xargs -0 .venv/bin/python -m codespell_lib

types: .venv/ready
	.venv/bin/python -m mypy
	.venv/bin/python -m mypy dask_image/ndimage.py dask_image/xarray.py  # hidden by their stubs
	.venv/bin/python -m mypy.stubtest --mypy-config-file setup.cfg dask_image.ndimage dask_image.xarray

# The types of functions that are made, from those of the functions that do the work.
stubs: .venv/ready
	for name in ndimage xarray; do \
		.venv/bin/python -m tests.stubs $$name > .venv/stub.pyi && \
		mv .venv/stub.pyi dask_image/$$name.pyi || exit 1; \
	done
	$(MAKE) format

format: .venv/ready
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .

benchmark: .venv/ready
	.venv/bin/python benchmarks/ratios.py $(ARGS)

scale: .venv/ready
	.venv/bin/python -m benchmarks.scale $(ARGS)

scale-short: .venv/ready
	.venv/bin/python -m benchmarks.scale --short $(ARGS)

.venv-package/ready: $(SOURCES)
	$(PYTHON) -m venv .venv-package
	.venv-package/bin/python $(PIP_INSTALL) build twine
	touch $@

# Both are installed where nothing else is, and imported from another folder than this one.
package: .venv-package/ready
	rm -rf dist
	.venv-package/bin/python -m build --outdir dist . > /dev/null
	.venv-package/bin/python -m twine check --strict dist/*
	for file in dist/*; do \
		$(PYTHON) -m venv --clear .venv-package/installed && \
		.venv-package/installed/bin/python $(PIP_INSTALL) "$$file" && \
		(cd .venv-package && installed/bin/python -c \
			"import dask_image; print(dask_image.__version__, dask_image.ndimage.__file__)") \
		|| exit 1; \
	done

# The public package has this one's import name, so it gets an environment of its own.
.venv-public/ready:
	$(PYTHON) -m venv .venv-public
	.venv-public/bin/python $(PIP_INSTALL) dask-image 'dask[dataframe]'
	touch $@

.venv-peers/ready:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python $(PIP_INSTALL) \
		connected-components-3d edt opencv-python-headless scikit-image
	touch $@

compare: .venv/ready .venv-public/ready .venv-peers/ready
	.venv/bin/python benchmarks/compare.py --peers .venv-peers/bin/python \
		--public .venv-public/bin/python $(ARGS)

slower: .venv/ready
	.venv/bin/python benchmarks/slower.py $(ARGS)

clean:
	rm -rf .venv .venv-minimum .venv-minimum-complete .venv-package .venv-peers .venv-public
	rm -rf build dist demo-output
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage
	rm -rf docs/_build docs/api/generated docs/gallery *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
