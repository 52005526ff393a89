"""Fourier filters against SciPy on the whole array, two threads."""

import dask.array as da
import numpy as np
from scipy import ndimage

from dask_image import ndfourier

SIDE = 4096
BLOCK = 1024


def cases(side=SIDE, block=BLOCK):
    """Yield (name, ratio to reach, ours, SciPy's)."""
    random = np.random.default_rng(0)
    spectrum = (random.random((side, side)) + 1j * random.random((side, side))).astype("c8")
    lazy = da.from_array(spectrum, chunks=block)
    for name in ndfourier.__all__:
        function, reference = getattr(ndfourier, name), getattr(ndimage, name)
        yield (
            name,
            1.0,
            lambda function=function: function(lazy, 3.0).compute(
                scheduler="threads", num_workers=2
            ),
            lambda reference=reference: reference(spectrum, 3.0),
        )
