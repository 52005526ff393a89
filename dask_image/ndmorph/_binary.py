"""Binary morphology: erosion, dilation, opening, closing, hit-or-miss."""

from __future__ import annotations

import math
from typing import overload

import dask.array as da
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dask_image._utils.arguments import (
    ArgumentError,
    normalize_array,
    normalize_flag,
    normalize_integer,
    normalize_number,
    normalize_wrap_axes,
)
from dask_image._utils.arrays import as_dask_array, output_dtype, stack_lazily
from dask_image._utils.backend import is_cupy, kernel_for, result_dtype
from dask_image._utils.engines.overlap import block_bounds, map_boxes, map_neighborhood
from dask_image._utils.typing import Array, ArrayLike, DTypeLike, Integer, PerAxis
from dask_image._utils.windows import binary_window
from dask_image.ndmorph._propagation import until_stable

# What a task, each piece of its halo and each pixel carried from pass to pass cost, counted in
# pixels compared with one another (about 0.1 ns each).
TASK_COST = 3_000_000
PIECE_COST = 100_000
PIXEL_COST = 20

TOGETHER = {
    (ndimage.binary_erosion, ndimage.binary_dilation): ndimage.binary_opening,
    (ndimage.binary_dilation, ndimage.binary_erosion): ndimage.binary_closing,
}


def generate_binary_structure(rank: Integer, connectivity: Integer) -> npt.NDArray[np.bool_]:
    """
    Generate a structure that defines which pixels are neighbours.

    The same as `scipy.ndimage.generate_binary_structure`.

    Parameters
    ----------
    rank : int
        Number of axes.
    connectivity : int
        How many axes a neighbour may differ in from the centre, 1 to ``rank``.

    Returns
    -------
    numpy.ndarray of bool
        Of shape ``(3,) * rank``.

    Examples
    --------
    >>> from dask_image.ndmorph import generate_binary_structure
    >>> generate_binary_structure(2, 1).astype(int)
    array([[0, 1, 0],
           [1, 1, 1],
           [0, 1, 0]])
    """
    return ndimage.generate_binary_structure(
        normalize_integer(rank, "rank"), normalize_integer(connectivity, "connectivity")
    )


@overload
def iterate_structure(
    structure: ArrayLike, iterations: Integer, origin: None = ...,
) -> npt.NDArray[np.bool_]: ...  # fmt: skip
@overload
def iterate_structure(
    structure: ArrayLike, iterations: Integer, origin: PerAxis[Integer],
) -> tuple[npt.NDArray[np.bool_], list[int]]: ...  # fmt: skip
def iterate_structure(
    structure: ArrayLike, iterations: Integer, origin: PerAxis[Integer] | None = None
) -> npt.NDArray[np.bool_] | tuple[npt.NDArray[np.bool_], list[int]]:
    """
    Dilate a structure by itself.

    The same as `scipy.ndimage.iterate_structure`.

    Parameters
    ----------
    structure : array_like of bool
    iterations : int
        How many times the result is to stand for the structure.
    origin : int or sequence of int, optional
        If given, the origin of the result is returned as well.

    Returns
    -------
    structure : numpy.ndarray of bool
    origin : list of int
        Only if ``origin`` is given.

    Examples
    --------
    >>> from dask_image.ndmorph import generate_binary_structure, iterate_structure
    >>> iterate_structure(generate_binary_structure(2, 1), 2).astype(int)
    array([[0, 0, 1, 0, 0],
           [0, 1, 1, 1, 0],
           [1, 1, 1, 1, 1],
           [0, 1, 1, 1, 0],
           [0, 0, 1, 0, 0]])
    """
    structure = normalize_array(structure, "structure")
    return ndimage.iterate_structure(structure, normalize_integer(iterations, "iterations"), origin)


def _reach_of(window, scipy_function):
    """Return how far one iteration reads; dilation looks through the window from behind."""
    dilates = scipy_function is ndimage.binary_dilation
    return window.reach_from_behind if dilates else window.reach


def _binary_morphology(block, mask=None, *, steps, region=None, **keywords):
    """Run some iterations of erosion or dilation, one kind after the other, on a block."""
    keywords |= {"structure": _beside(block, keywords["structure"])}
    *first, (kernel, iterations) = steps
    for other, times in first:
        block = other(block, mask=mask, iterations=times, **keywords)
    if region is None:
        return kernel(block, mask=mask, iterations=iterations, **keywords)
    in_region = getattr(kernel, "in_region", None)
    if in_region is None:
        return kernel(block, mask=mask, iterations=iterations, **keywords)[region].copy()
    return in_region(block, mask=mask, iterations=iterations, region=region, **keywords)


_binary_morphology.in_region = _binary_morphology  # type: ignore[attr-defined]


def _beside(block, structure):
    """Return the structure as an array of the block's kind: CuPy mixes with no other."""
    if isinstance(block, (np.ndarray, np.generic)):
        return structure
    return np.asarray(structure, like=block)


def _trimmed_binary_morphology(box, *rest, **keywords):
    """Do the same on a box whose halo came partly from the opposite side."""
    *masks, trim = rest
    return _binary_morphology(box, *masks, **keywords)[trim].copy()


def _hit_or_miss(box, *trim, scipy_kernel, **keywords):
    """Run hit-or-miss on a block, or a box to be trimmed."""
    for name in ("structure1", "structure2"):
        keywords[name] = _beside(box, keywords[name])
    found = scipy_kernel(box, **keywords)
    return found[trim[0]].copy() if trim else found


def _map_periodic(kernel, images, name, reach, periodic, **keywords):
    """Run ``kernel`` on blocks whose halo wraps around the ``periodic`` axes."""
    image = images[0]
    bounds = block_bounds(image.chunks)

    def interval(axis, block):
        start, stop = bounds[axis][block], bounds[axis][block + 1]
        low, high = start - reach[axis][0], stop + reach[axis][1]
        if axis not in periodic:
            low, high = max(low, 0), min(high, image.shape[axis])
        return (low, high), slice(start - low, stop - low)

    return map_boxes(
        kernel,
        *images,
        name=name,
        boxes=lambda index: tuple(interval(*place)[0] for place in enumerate(index)),
        block_arguments=lambda index: (tuple(interval(*place)[1] for place in enumerate(index)),),
        chunks=image.chunks,
        dtype=bool,
        **keywords,
    )


def _cost_of_pass(chunks, reach, count, iterations):
    """
    Estimate what one block costs that does some iterations on one halo.

    ``count`` is how many pixels the structure has.
    """
    volume = pieces = 1
    for sizes, (before, after) in zip(chunks, reach, strict=True):
        size, length = max(max(sizes), 1), max(sum(sizes), 1)
        extent = min(size + iterations * (before + after), length)
        volume *= extent
        pieces *= math.ceil(extent / size) + (extent > size)
    return TASK_COST + PIECE_COST * pieces + volume * (PIXEL_COST + iterations * count)


def _passes(image, functions, iterations, window):
    """
    Share out the iterations of ``functions`` among passes over the image.

    A pass that does more of them needs fewer tasks, but computes more of its
    neighbours' pixels again; the cheapest number of passes wins.
    """
    count = int(window.described["structure"].sum())

    def cost(passes, total):
        each = math.ceil(total / passes)
        return passes * _cost_of_pass(image.chunks, window.reach, count, each)

    apart = min(range(1, min(iterations, 64) + 1), key=lambda passes: cost(passes, iterations))
    total = len(functions) * iterations
    if cost(1, total) <= len(functions) * cost(apart, iterations):
        return [[(function, iterations) for function in functions]]
    counts = [iterations // apart + (place < iterations % apart) for place in range(apart)]
    return [[(function, count)] for function in functions for count in counts]


def _as_mask(mask, image):
    """Return the mask as a boolean Dask array of the image's chunks, or None."""
    if mask is None:
        return None
    mask = stack_lazily(mask, "mask")
    # NumPy may compute a lazy mask to learn its number of axes.
    axes = mask.ndim if hasattr(mask, "ndim") else np.ndim(mask)
    if axes == 0 and image.ndim > 0:
        holds = bool(normalize_number(mask, "mask"))
        return None if holds else da.zeros_like(image, dtype=bool)
    mask = as_dask_array(mask, name="mask")
    if mask.shape != image.shape:
        raise ArgumentError(f"mask must have the shape of image {image.shape}, got {mask.shape}")
    return mask.astype(bool).rechunk(image.chunks)


def _morphology(
    name,
    functions,
    image,
    window,
    *,
    iterations,
    mask,
    border_value,
    brute_force,
    output,
    wrap_axes,
):
    """Run SciPy's ``functions`` one after the other, each ``iterations`` times."""
    output_dtype(output, bool)
    iterations = normalize_integer(iterations, "iterations")
    mask = _as_mask(mask, image)
    border_value = int(bool(normalize_integer(border_value, "border_value")))
    keywords = window.keywords | {"border_value": border_value}
    # SciPy itself says what it refuses, on one pixel, before there is a graph.
    result_dtype(functions[0], image, **keywords)
    periodic = normalize_wrap_axes(wrap_axes, image.ndim)
    if image.size == 0:
        return da.zeros_like(image, dtype=bool)
    if iterations < 1:
        for function in functions:
            image = until_stable(
                function, image, window, mask=mask, border_value=border_value,
                wrap_axes=periodic or None, name=name,
            )  # fmt: skip
        return image
    # CuPy knows no other way.
    keywords["brute_force"] = normalize_flag(brute_force, "brute_force") or is_cupy(image)
    for steps in _passes(image, functions, iterations, window):
        reach = [(0, 0)] * image.ndim
        for function, count in steps:
            reach = [
                (before + count * more_before, after + count * more_after)
                for (before, after), (more_before, more_after) in zip(
                    reach, _reach_of(window, function), strict=True
                )
            ]
        if len(steps) == 2:
            # What begins and ends as bits need not become pixels in between.
            steps = [(TOGETHER[tuple(function for function, _ in steps)], iterations)]
        steps = tuple((kernel_for(image, function), count) for function, count in steps)
        images = [image] if mask is None else [image, mask]
        if periodic:
            image = _map_periodic(
                _trimmed_binary_morphology, images, name, reach, periodic, steps=steps, **keywords
            )
        else:
            image = map_neighborhood(
                _binary_morphology, *images, name=name, reach=reach,
                modes=["constant"] * image.ndim, dtype=bool, steps=steps, **keywords,
            )  # fmt: skip
    return image


def binary_erosion(
    image: ArrayLike,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    origin: PerAxis[Integer] = 0,
    brute_force: bool = False,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Erode a binary image by a structure.

    The Dask counterpart of `scipy.ndimage.binary_erosion`, with the same result
    for any chunks. Iterations share one halo as long as that costs less than
    another pass over the image.

    Parameters
    ----------
    image : array_like
        What is not zero is eroded. NumPy or Dask array, or anything that
        `dask.array.from_array` takes.
    structure : array_like of bool, optional
        Neighbours that must be True; by default the centre and the pixels that
        share a face with it.
    iterations : int, optional
        How many times; less than 1: until nothing changes, which is found out
        when the result is computed.
    mask : array_like of bool, optional
        Pixels that may change, NumPy or Dask array of the image's shape; True
        or False for all.
    border_value : int, optional
        Value outside of the image, 0 or 1.
    origin : int or sequence of int, optional
        How far the structure is moved from its centre, along each axis.
    brute_force : bool, optional
        Taken for compatibility; the result is the same.
    axes : int or sequence of int, optional
        Axes that the structure has; all by default.
    output : dtype, optional
        Taken for compatibility: as in SciPy the result is boolean in any case.
    wrap_axes : int or sequence of int, optional
        Axes along which the image is periodic, like the longitude of a map:
        its two ends are neighbours, and ``border_value`` is not used there.

    Returns
    -------
    dask.array.Array of bool
        With the chunks of ``image``.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import binary_erosion
    >>> image = da.ones((4, 4), chunks=2, dtype=bool)
    >>> binary_erosion(image).compute().astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    >>> binary_erosion(image, wrap_axes=1).compute().astype(int)
    array([[0, 0, 0, 0],
           [1, 1, 1, 1],
           [1, 1, 1, 1],
           [0, 0, 0, 0]])
    """
    image = as_dask_array(image)
    return _morphology(
        "binary_erosion", [ndimage.binary_erosion], image,
        binary_window(structure, origin, axes, image.ndim),
        iterations=iterations, mask=mask, border_value=border_value, brute_force=brute_force,
        output=output, wrap_axes=wrap_axes,
    )  # fmt: skip


def binary_dilation(
    image: ArrayLike,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    origin: PerAxis[Integer] = 0,
    brute_force: bool = False,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Dilate a binary image by a structure.

    The Dask counterpart of `scipy.ndimage.binary_dilation`, with the same
    result for any chunks. Iterations share one halo as long as that costs less
    than another pass over the image.

    Parameters
    ----------
    image : array_like
        What is not zero is dilated.
    structure : array_like of bool, optional
        Shape of what each True pixel grows to; by default the centre and the
        pixels that share a face with it.
    iterations, mask, border_value, origin, brute_force, axes, output : optional
        As in `binary_erosion`.
    wrap_axes : int or sequence of int, optional
        Axes along which the image is periodic: its two ends are neighbours, and
        ``border_value`` is not used there.

    Returns
    -------
    dask.array.Array of bool
        With the chunks of ``image``.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import binary_dilation
    >>> image = da.from_array([[0, 0, 0, 1], [0, 0, 0, 0]], chunks=2)
    >>> binary_dilation(image).compute().astype(int)
    array([[0, 0, 1, 1],
           [0, 0, 0, 1]])
    >>> binary_dilation(image, wrap_axes=1).compute().astype(int)
    array([[1, 0, 1, 1],
           [0, 0, 0, 1]])
    """
    image = as_dask_array(image)
    return _morphology(
        "binary_dilation", [ndimage.binary_dilation], image,
        binary_window(structure, origin, axes, image.ndim),
        iterations=iterations, mask=mask, border_value=border_value, brute_force=brute_force,
        output=output, wrap_axes=wrap_axes,
    )  # fmt: skip


def binary_opening(
    image: ArrayLike,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    origin: PerAxis[Integer] = 0,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    brute_force: bool = False,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Open a binary image: erode it, then dilate the result.

    The Dask counterpart of `scipy.ndimage.binary_opening`, with the same result
    for any chunks; both steps share one halo where that is cheap.

    Parameters
    ----------
    image : array_like
        What is not zero is opened.
    structure : array_like of bool, optional
        By default the centre and the pixels that share a face with it.
    iterations : int, optional
        How many times each step is done; less than 1: until nothing changes.
    origin, mask : optional
        As in `binary_erosion`.
    border_value : int, optional
        Value outside of the image in both steps, 0 or 1.
    brute_force, axes, output, wrap_axes : optional
        As in `binary_erosion`.

    Returns
    -------
    dask.array.Array of bool
        With the chunks of ``image``.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import binary_opening
    >>> image = da.from_array([1, 0, 0, 1, 1, 1, 1, 0], chunks=3)
    >>> binary_opening(image).compute().astype(int)
    array([0, 0, 0, 1, 1, 1, 1, 0])
    """
    image = as_dask_array(image)
    return _morphology(
        "binary_opening", [ndimage.binary_erosion, ndimage.binary_dilation], image,
        binary_window(structure, origin, axes, image.ndim),
        iterations=iterations, mask=mask, border_value=border_value, brute_force=brute_force,
        output=output, wrap_axes=wrap_axes,
    )  # fmt: skip


def binary_closing(
    image: ArrayLike,
    structure: ArrayLike | None = None,
    iterations: Integer = 1,
    origin: PerAxis[Integer] = 0,
    mask: ArrayLike | None = None,
    border_value: Integer = 0,
    brute_force: bool = False,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Close a binary image: dilate it, then erode the result.

    The Dask counterpart of `scipy.ndimage.binary_closing`, with the same result
    for any chunks; both steps share one halo where that is cheap.

    Parameters
    ----------
    image : array_like
        What is not zero is closed.
    structure, iterations : optional
        As in `binary_opening`.
    origin, mask : optional
        As in `binary_erosion`.
    border_value : optional
        As in `binary_opening`.
    brute_force, axes, output, wrap_axes : optional
        As in `binary_erosion`.

    Returns
    -------
    dask.array.Array of bool
        With the chunks of ``image``.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import binary_closing
    >>> image = da.from_array([0, 0, 1, 1, 0, 1, 1, 0, 0], chunks=3)
    >>> binary_closing(image).compute().astype(int)
    array([0, 0, 1, 1, 1, 1, 1, 0, 0])
    """
    image = as_dask_array(image)
    return _morphology(
        "binary_closing", [ndimage.binary_dilation, ndimage.binary_erosion], image,
        binary_window(structure, origin, axes, image.ndim),
        iterations=iterations, mask=mask, border_value=border_value, brute_force=brute_force,
        output=output, wrap_axes=wrap_axes,
    )  # fmt: skip


def binary_hit_or_miss(
    image: ArrayLike,
    structure1: ArrayLike | None = None,
    structure2: ArrayLike | None = None,
    origin1: PerAxis[Integer] = 0,
    origin2: PerAxis[Integer] | None = None,
    *,
    axes: PerAxis[Integer] | None = None,
    output: DTypeLike | None = None,
    wrap_axes: PerAxis[Integer] | None = None,
) -> Array:
    """
    Find where one structure fits the image and another one its background.

    The Dask counterpart of `scipy.ndimage.binary_hit_or_miss`, with the same
    result for any chunks.

    Parameters
    ----------
    image : array_like
        What is not zero counts as True.
    structure1 : array_like of bool, optional
        Pixels that must be True; by default the centre and the pixels that
        share a face with it.
    structure2 : array_like of bool, optional
        Pixels that must be False; by default all that ``structure1`` leaves out.
    origin1, origin2 : int or sequence of int, optional
        How far the structures are moved from their centres; ``origin2`` is
        ``origin1`` by default.
    axes : int or sequence of int, optional
        Axes that the structures have; all by default.
    output, wrap_axes : optional
        As in `binary_erosion`.

    Returns
    -------
    dask.array.Array of bool
        With the chunks of ``image``.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask_image.ndmorph import binary_hit_or_miss
    >>> image = da.from_array([0, 1, 0, 1, 1, 0], chunks=2)
    >>> binary_hit_or_miss(image, structure1=[0, 1, 0]).compute().astype(int)
    array([0, 1, 0, 0, 0, 0])
    """
    image = as_dask_array(image)
    output_dtype(output, bool)
    hit = binary_window(structure1, origin1, axes, image.ndim, "structure1")
    hits = hit.described["structure"]
    miss = binary_window(
        ~hits if structure2 is None else structure2,
        hit.origins if origin2 is None else origin2,
        axes, image.ndim, "structure2",
    )  # fmt: skip
    keywords = {
        "structure1": hits, "structure2": miss.described["structure"],
        "origin1": list(hit.origins), "origin2": list(miss.origins),
    }  # fmt: skip
    if hit.names_axes:
        keywords["axes"] = hit.axes
    result_dtype(ndimage.binary_hit_or_miss, image, **keywords)
    reach = [
        (max(before, other_before), max(after, other_after))
        for (before, after), (other_before, other_after) in zip(hit.reach, miss.reach, strict=True)
    ]
    kernel = kernel_for(image, ndimage.binary_hit_or_miss)
    if wrap_axes is not None and image.size:
        periodic = normalize_wrap_axes(wrap_axes, image.ndim)
        return _map_periodic(
            _hit_or_miss, [image], "binary_hit_or_miss", reach, periodic, scipy_kernel=kernel,
            **keywords,
        )  # fmt: skip
    return map_neighborhood(
        _hit_or_miss, image, name="binary_hit_or_miss", reach=reach,
        modes=["constant"] * image.ndim, dtype=bool, scipy_kernel=kernel, **keywords,
    )  # fmt: skip
