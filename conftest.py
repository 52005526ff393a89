"""What needs zarr 3 is left out where there is none, as on Python 3.10."""

import importlib.util

NEED_ZARR = ["dask_image/storage.py", "docs/guide/chunks.rst", "tests/test_storage.py"]

collect_ignore = [] if importlib.util.find_spec("zarr") else NEED_ZARR
