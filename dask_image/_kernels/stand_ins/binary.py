"""
Binary morphology with one vector operation a pixel of the structure.

Blocks are held one byte a pixel in a padded array that keeps its border value,
so that any number of iterations runs between two buffers. Boxes run axis by axis.
"""

import operator

import numpy as np
from scipy import ndimage

from dask_image._kernels.stand_ins._lines import each
from dask_image._kernels.stand_ins._windows import along_axes, flat_offsets, pad, reach, segments
from dask_image._kernels.stand_ins.extrema import maximum_filter, minimum_filter


def _reset_border(padded, before, shape, value):
    """Write ``value`` to all of ``padded`` outside the image, in place."""
    for axis, (low, size) in enumerate(zip(before, shape, strict=True)):
        around = (slice(None),) * axis
        padded[(*around, slice(0, low))] = value
        padded[(*around, slice(low + size, None))] = value


def _iterate_box(combine, image, structure, origins, iterations, mask, border):
    """Erode or dilate by a full box: a minimum or maximum along one axis after the other."""
    box_filter = minimum_filter if combine is np.bitwise_and else maximum_filter
    state = image
    for _ in range(iterations):
        found = box_filter(
            state, size=structure.shape, mode="constant", cval=border, origin=origins
        )
        if mask is not None:
            np.copyto(found, state, where=~mask)
        state = found
    return state


def _iterate(combine, image, structure, origins, iterations, mask, border):
    """Combine each pixel's neighbours under ``structure``, ``iterations`` times."""
    before, after = reach(structure, origins)
    state = pad(image, before, after, ("constant",) * image.ndim, border)
    found = np.empty_like(state)
    inside = tuple(slice(low, low + size) for low, size in zip(before, image.shape, strict=True))
    offsets = flat_offsets(structure, state.shape)
    centre = int(np.ravel_multi_index(before, state.shape))
    spans = list(segments(image.shape, state.shape, 8))
    for _ in range(iterations):
        flat, values = state.ravel(), found.ravel()
        for start, stop in spans:
            combined = values[start + centre : stop + centre]
            if len(offsets) == 1:
                combined[...] = flat[start + offsets[0] : stop + offsets[0]]
                continue
            first, second = offsets[:2]
            combine(
                flat[start + first : stop + first], flat[start + second : stop + second],
                out=combined,
            )  # fmt: skip
            for offset in offsets[2:]:
                combine(combined, flat[start + offset : stop + offset], out=combined)
        if mask is not None:
            np.copyto(found[inside], state[inside], where=~mask)
        _reset_border(found, before, image.shape, border)
        state, found = found, state
    return np.ascontiguousarray(state[inside])


def _transform(combine, image, structure, iterations, mask, border_value, origin, axes):
    """Return the eroded or dilated image, or None for a case that is left to SciPy."""
    if image.ndim == 0 or image.size == 0 or image.dtype.kind not in "biuf" or iterations < 1:
        return None
    window = along_axes(structure, origin, axes, image.ndim)
    if window is None or not window[0].any():
        return None
    if mask is not None:
        mask = np.asarray(mask)
        if mask.shape != image.shape:
            return None
        mask = mask.astype(bool, copy=False)
    state = np.ascontiguousarray(image if image.dtype == bool else image != 0).view(np.uint8)
    run = _iterate_box if window[0].all() else _iterate
    found = run(combine, state, *window, iterations, mask, int(bool(border_value)))
    return found.view(bool)


def _structure_for(image, structure, axes):
    """Return the structure, SciPy's default where there is none."""
    if structure is not None:
        return np.asarray(structure, dtype=bool)
    return ndimage.generate_binary_structure(image.ndim if axes is None else np.size(axes), 1)


def binary_erosion(
    input, structure=None, iterations=1, mask=None, output=None, border_value=0, origin=0,
    brute_force=False, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.binary_erosion`."""
    image = np.asarray(input)
    if not isinstance(output, np.ndarray):
        window = _structure_for(image, structure, axes)
        found = _transform(
            np.bitwise_and, image, window, operator.index(iterations), mask, border_value, origin,
            axes,
        )  # fmt: skip
        if found is not None:
            return found
    return ndimage.binary_erosion(
        image, structure, iterations, mask, output, border_value, origin, brute_force, axes=axes
    )


def binary_dilation(
    input, structure=None, iterations=1, mask=None, output=None, border_value=0, origin=0,
    brute_force=False, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.binary_dilation`."""
    image = np.asarray(input)
    if not isinstance(output, np.ndarray):
        window = np.flip(_structure_for(image, structure, axes))
        # The centre of a reflected window of even size lies one pixel to the other side.
        origins = [
            -shift - (size % 2 == 0)
            for shift, size in zip(each(origin, window.ndim), window.shape, strict=True)
        ]
        found = _transform(
            np.bitwise_or, image, window, operator.index(iterations), mask, border_value, origins,
            axes,
        )  # fmt: skip
        if found is not None:
            return found
    return ndimage.binary_dilation(
        image, structure, iterations, mask, output, border_value, origin, brute_force, axes=axes
    )


def binary_opening(
    input, structure=None, iterations=1, output=None, origin=0, mask=None, border_value=0,
    brute_force=False, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.binary_opening`."""
    arguments = (structure, iterations, mask)
    rest = (border_value, origin, brute_force)
    eroded = binary_erosion(input, *arguments, None, *rest, axes=axes)
    return binary_dilation(eroded, *arguments, output, *rest, axes=axes)


def binary_closing(
    input, structure=None, iterations=1, output=None, origin=0, mask=None, border_value=0,
    brute_force=False, *, axes=None,
):  # fmt: skip
    """Stand in for `scipy.ndimage.binary_closing`."""
    arguments = (structure, iterations, mask)
    rest = (border_value, origin, brute_force)
    dilated = binary_dilation(input, *arguments, None, *rest, axes=axes)
    return binary_erosion(dilated, *arguments, output, *rest, axes=axes)


def binary_hit_or_miss(
    input, structure1=None, structure2=None, output=None, origin1=0, origin2=None, *, axes=None
):
    """Stand in for `scipy.ndimage.binary_hit_or_miss`."""
    image = np.asarray(input)
    hit = _structure_for(image, structure1, axes)
    miss = ~hit if structure2 is None else np.asarray(structure2, dtype=bool)
    if isinstance(output, np.ndarray) or image.dtype.kind not in "biuf":
        return ndimage.binary_hit_or_miss(
            image, structure1, structure2, output, origin1, origin2, axes=axes
        )
    hits = binary_erosion(image, hit, origin=origin1, axes=axes)
    # Missing means that no pixel of the second structure meets the image: a dilation, reflected
    # back, whose result is turned round.
    missed = _transform(
        np.bitwise_or, image, miss, 1, None, 0, origin1 if origin2 is None else origin2, axes
    )
    if missed is None:
        return ndimage.binary_hit_or_miss(
            image, structure1, structure2, output, origin1, origin2, axes=axes
        )
    return hits & ~missed
