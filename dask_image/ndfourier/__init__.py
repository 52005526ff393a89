"""
Filters that multiply a Fourier transform, block by block.

Each function takes the transform of an image, as :func:`dask.array.fft.fftn` or
:func:`dask.array.fft.rfftn` returns it, multiplies it with the transform of a
kernel, and leaves the way back to the caller. What a frequency is multiplied with
depends on its place in the array alone, so every block stands for itself: chunks
are kept, and nothing is exchanged between blocks. The transforms themselves need
whole lines, which is why :mod:`dask.array.fft` asks for a single chunk along each
axis it transforms.

Examples
--------
>>> import dask.array as da
>>> import numpy as np
>>> from scipy import ndimage
>>> from dask_image.ndfourier import fourier_gaussian
>>> image = da.random.default_rng(0).random((64, 48), chunks=(64, 48))
>>> spectrum = da.fft.fft2(image)
>>> smooth = da.fft.ifft2(fourier_gaussian(spectrum, sigma=2)).real
>>> bool(np.allclose(smooth, ndimage.gaussian_filter(image.compute(), 2, mode="wrap"), atol=1e-3))
True

The transform of a real image holds half of the last axis. ``n`` says how long that
axis was:

>>> spectrum = da.fft.rfft2(image)
>>> spectrum.shape
(64, 25)
>>> same = da.fft.irfft2(fourier_gaussian(spectrum, sigma=2, n=48), s=(64, 48))
>>> bool(np.allclose(same, smooth))
True
"""

from dask_image.ndfourier._filters import (
    fourier_ellipsoid,
    fourier_gaussian,
    fourier_shift,
    fourier_uniform,
)

__all__ = ["fourier_ellipsoid", "fourier_gaussian", "fourier_shift", "fourier_uniform"]
