"""
Take stripes and noise out of a picture by Fourier filters.

A scanner's stripes are two bright points in the Fourier transform of its picture: those are put
out, ``fourier_gaussian`` fades the rest with frequency, and ``fourier_shift`` moves the picture by
half a pixel on the way back, all in chunks. Transforms run along whole lines, so the array is cut
along the other axis while they do; this package's filters take any chunks.

Usage: ``python denoise_by_fourier.py [OUTPUT_FOLDER]``
"""

import sys
from pathlib import Path

import dask
import dask.array as da
import matplotlib
import numpy as np
from skimage import data

import dask_image.ndimage as ndi

matplotlib.use("agg")
import matplotlib.pyplot as plt

PERIOD = 8  # pixels of a stripe


def striped(picture):
    """Return the picture as a bad scanner would deliver it."""
    random = np.random.default_rng(0)
    stripes = 45 * np.sin(2 * np.pi * np.arange(picture.shape[1]) / PERIOD)
    return picture + stripes + random.normal(0, 20, picture.shape)


def along(image, axis, transform):
    """Transform whole lines along one axis, in blocks of the other."""
    return transform(image.rechunk({axis: -1, 1 - axis: 128}), axis=axis)


def spectrum_of(image):
    """Return the Fourier transform."""
    return along(along(image, 0, da.fft.fft), 1, da.fft.fft)


def without_stripes(spectrum):
    """Put out the frequency of the stripes and its neighbours."""
    frequency = da.fft.fftfreq(spectrum.shape[1], chunks=spectrum.chunks[1])
    rows = da.fft.fftfreq(spectrum.shape[0], chunks=spectrum.chunks[0])
    is_stripe = (abs(abs(frequency) - 1 / PERIOD) < 0.004) & (abs(rows[:, np.newaxis]) < 0.02)
    return da.where(is_stripe, 0, spectrum)


def image_of(spectrum):
    """Return the picture of a Fourier transform."""
    return along(along(spectrum, 0, da.fft.ifft), 1, da.fft.ifft).real


def main(output):
    """Draw the picture before and after, and its spectrum."""
    output.mkdir(parents=True, exist_ok=True)
    noisy = striped(data.camera().astype(float))
    spectrum = spectrum_of(da.from_array(noisy, chunks=128))
    even = without_stripes(spectrum)
    faded = ndi.fourier_shift(ndi.fourier_gaussian(even, sigma=1.2), 0.5)
    power = da.log1p(abs(spectrum))
    power, even, calm = dask.compute(power, image_of(even), image_of(faded))

    figure, axes = plt.subplots(2, 2, figsize=(10, 10), layout="constrained")
    axes[0, 0].imshow(noisy, cmap="gray", vmin=0, vmax=255)
    axes[0, 0].set_title("as scanned")
    axes[0, 1].imshow(np.fft.fftshift(power), cmap="magma", vmin=6)
    axes[0, 1].set_title("its Fourier transform: stripes are two points")
    axes[1, 0].imshow(even, cmap="gray", vmin=0, vmax=255)
    axes[1, 0].set_title("the two points put out")
    axes[1, 1].imshow(calm, cmap="gray", vmin=0, vmax=255)
    axes[1, 1].set_title("fourier_gaussian after that")
    axes[0, 1].set(xlim=(156, 356), ylim=(356, 156))
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    figure.savefig(output / "denoise_by_fourier.png", dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output"))
