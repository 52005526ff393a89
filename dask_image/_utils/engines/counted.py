"""
Filters that leave out pixels: how one is made of the filter that takes all.

A block reads its pixels, and which of them count, with one halo. Pixels that do not count get a
value that cannot matter; the plain filter runs over the image, and over the mask, at once where
there is a kernel for both; and what comes of both decides (`CountedKernel`):

- a linear filter divides the one by the other, so that the weights that fell on counted pixels
  sum to one (normalized convolution: H. Knutsson and C.-F. Westin, 1993);
- a minimum stands where there is any counted pixel at all.

Ranks: `counted_ranks`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dask.array as da
import numpy as np

from dask_image._kernels import blocks as kernels
from dask_image._utils.arguments import normalize_fill, normalize_nan_policy, normalize_number
from dask_image._utils.arrays import as_dask_array, block_meta, without_idle_chunks
from dask_image._utils.backend import is_cupy
from dask_image._utils.engines.graph import map_blocks
from dask_image._utils.engines.overlap import (
    BlockKernel,
    Pass,
    axis_window,
    map_neighborhood,
    map_passes,
    passes_reach,
    run_apart,
    run_passes,
)
from dask_image._utils.modes import MODES
from dask_image._utils.typing import (
    Array,
    ArrayLike,
    Block,
    DTypeLike,
    ModeName,
    Reach,
    Slices,
)
from dask_image._utils.windows import Edges

# So much is filtered at a time, with its mask: what is between the steps stays in the cache.
STRIP_BYTES = 1 << 22


@dataclass(frozen=True)
class Counted:
    """
    Which pixels of an image count, and what is given where none does.

    Attributes
    ----------
    where : dask.array.Array or None
        True for those that count; None for all.
    omits_nan : bool
        Whether NaN does not count.
    fill_value : number
    """

    where: Array | None
    omits_nan: bool
    fill_value: Any

    @property
    def masks(self) -> list[Array]:
        """Return the arrays that blocks read beside the image."""
        return [] if self.where is None else [self.where]

    @property
    def for_blocks(self) -> Counted:
        """Return the same without the mask, which comes with a block."""
        return replace(self, where=None)

    def beyond_edges(self, cval: Any) -> int:
        """Return whether a pixel of this value beyond the edges counts, as a number."""
        return 0 if self.omits_nan and np.isnan(cval) else 1

    def in_block(self, block: Block, where: Block | None = None) -> Block:
        """Return which pixels of a block count."""
        if not self.omits_nan:
            return where
        counted = block == block
        return counted if where is None else counted & where

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        where = None if self.where is None else self.where.name
        return ("Counted", where, self.omits_nan, repr(self.fill_value))


def counted_pixels(
    image: Array, where: ArrayLike | None, nan_policy: str, fill_value: Any
) -> Counted | None:
    """
    Return which pixels of an image count; None if all do.

    Parameters
    ----------
    image : dask.array.Array
    where : array_like of bool or None
        Of the image's shape, or one that NumPy broadcasts to it.
    nan_policy : {"propagate", "omit"}
    fill_value : number or None
        None stands for NaN.

    Returns
    -------
    Counted or None

    Raises
    ------
    ValueError
        If the policy is unknown, or the shapes do not match.
    TypeError
        If ``where`` is not boolean, or on a GPU while the image is not.
    """
    omits_nan = normalize_nan_policy(nan_policy) and image.dtype.kind in "fc"
    if where is not None:
        where = as_dask_array(where, "where")
        if where.dtype != bool:
            raise TypeError(f"where must be boolean, got dtype {where.dtype}")
        if where.shape != image.shape:
            where = _stretched(where, image)
        where = _beside(image, where.rechunk(image.chunks))
    elif not omits_nan:
        return None
    if fill_value is not None:
        normalize_number(fill_value, "fill_value", allow_complex=image.dtype.kind == "c")
    return Counted(where, omits_nan, fill_value)


def _stretched(where, image):
    """Return a mask as NumPy broadcasts it to an image, in the image's chunks."""
    fits = where.ndim <= image.ndim and all(
        size in (1, whole) for size, whole in zip(where.shape[::-1], image.shape[::-1])
    )
    if not fits:
        raise ValueError(
            f"where has shape {where.shape}, which does not fit the image's {image.shape}"
        )
    if not image.size:
        return da.ones(image.shape, chunks=image.chunks, dtype=bool)
    # Dask stretches what has the other chunks already, along all axes that are as long.
    where = without_idle_chunks(where)
    same = [n for n in range(-where.ndim, 0) if where.shape[n] == image.shape[n] > 1]
    where = where.rechunk({where.ndim + n: image.chunks[n] for n in same})
    return da.broadcast_to(where, image.shape, chunks=image.chunks)


def _beside(image, where):
    """Return a mask in memory of the kind that the image is in."""
    if is_cupy(image) == is_cupy(where):
        return where
    if is_cupy(where):
        raise TypeError("where must hold NumPy arrays, as image does, got CuPy arrays")
    import cupy

    return map_blocks(
        cupy.asarray, where, name="where", meta=block_meta(where.ndim, bool, like=image._meta)
    )


def counted_output(image: Array, counted: Counted | None, output: DTypeLike | None) -> Any:
    """Return ``output``; where it is None, one that can hold what is given where none counts."""
    if counted is None or output is not None or image.dtype.kind in "fc":
        return output
    return np.float64 if counted.fill_value is None else None


def fill_for(counted: Counted, dtype: np.dtype[Any]) -> Any:
    """Return the value where no pixel counts, or raise ValueError if the dtype cannot hold it."""
    value = np.nan if counted.fill_value is None else counted.fill_value
    if dtype.kind in "biu":
        if np.isnan(value):
            raise ValueError(
                f"fill_value must be given for an output of dtype {dtype}, which holds no NaN"
            )
        normalize_fill(value, "fill_value", dtype)
    return dtype.type(value)


def extreme_of(dtype: np.dtype[Any], largest: bool) -> Any:
    """Return the largest, or the least, value of a dtype that SciPy's filters hand on as it is."""
    if dtype.kind == "b":
        return dtype.type(largest)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        # Long integers go through float64, in which the next one is out of range.
        most = limits.max if dtype.itemsize < 8 else limits.max - (limits.max >> 53)
        return dtype.type(most if largest else limits.min)
    return dtype.type(np.inf if largest else -np.inf)


# -- what becomes of the image and of the mask -----------------------------------------------


@dataclass(frozen=True)
class Quotient:
    """The weighted sum of pixels by the sum of their weights."""

    least: float
    """No more than this is what rounding left of a sum without any weight."""
    fill: Any
    dtype: np.dtype[Any]

    def as_numbers(self, mask: Block, dtype: np.dtype[Any]) -> Block:
        """Return a mask as the filter gets it, which compiles no loops but those for the image."""
        # Those are for dtypes that float64 holds.
        return mask.astype(dtype) if np.can_cast(dtype, np.float64) else mask.view(np.uint8)

    def __call__(self, total: Block, weight: Block, out: Block) -> None:
        """Divide, and fill in where nothing counts."""
        numpy = type(out) is np.ndarray
        if not (numpy and kernels.counted.divide(total, weight, self.least, self.fill, out)):
            nothing = weight <= self.least
            # NaN of the image may become an integer.
            with np.errstate(divide="ignore", invalid="ignore"):
                total = total / weight
                if self.dtype.kind in "iu":
                    total *= kernels.counted.NUDGE
                out[...] = total.astype(self.dtype, copy=False)
            if nothing.any():
                out[nothing] = self.fill


@dataclass(frozen=True)
class Present:
    """A value where there is any counted pixel."""

    fill: Any
    neutral: Any
    """Given where there is none, as by any pixel of this value."""

    def as_numbers(self, mask: Block, dtype: np.dtype[Any]) -> Block:
        """Return a mask as the filter gets it: in bytes, whatever the image's ``dtype``."""
        return mask.view(np.uint8)

    def by_value(self, value: Block, out: Block) -> None:
        """Fill in where nothing counts, if no pixel of the image is neutral."""
        kernels.counted.put_unless(value, self.neutral, self.fill, out)

    def __call__(self, value: Block, present: Block, out: Block) -> None:
        """Fill in where nothing counts."""
        numpy = type(out) is np.ndarray
        if not (numpy and kernels.counted.put(value, present, self.fill, out)):
            out[...] = value
            out[present == 0] = self.fill


def strips(
    block: Block, region: Slices, reach: tuple[int, int], mode: ModeName, itemsize: int
) -> Iterator[tuple[slice, Slices, slice]]:
    """
    Cut a region into pieces, so that what is between the steps of each stays in the cache.

    Parameters
    ----------
    block : array
    region : tuple of slice
        Of the block, wanted.
    reach, mode
        Along the first axis.
    itemsize : int
        Bytes of a pixel between the steps.

    Yields
    ------
    rows : slice
        Of the block, that a piece reads.
    inner : tuple of slice
        Of these, wanted.
    written : slice
        Rows of the region that it makes.
    """
    first, end = region[0].start, region[0].stop
    size = itemsize * math.prod(along.stop - along.start for along in region[1:])
    rows = max(STRIP_BYTES // max(size, 1), 4 * sum(reach), 1)
    for start in range(first, end, rows):
        stop = min(start + rows, end)
        low, high = axis_window(start, stop, len(block), reach, mode)
        if low < 0 or high > len(block):
            low, high = 0, len(block)
        inner = (slice(start - low, stop - low), *region[1:])
        yield slice(low, high), inner, slice(start - first, stop - first)


@dataclass(frozen=True)
class CountedKernel:
    """
    A filter of counted pixels, made of the plain one.

    Attributes
    ----------
    of_image, of_mask : BlockKernel
        The plain filter of the image, and of the mask as numbers.
    neutral : number
        What stands for a pixel that does not count.
    finish : callable
        ``finish(filtered_image, filtered_mask, out)``; it writes to ``out``.
        ``finish.as_numbers(mask, dtype)`` is what the filter of the mask gets.
    counted : Counted
        Without its mask, which comes with the block.
    beyond : int
        1 if pixels beyond the edges count in mode "constant", else 0.
    reach, modes : sequence of (int, int), sequence of str
        As for `map_neighborhood`.
    dtype : dtype
        Of the result.
    at_once : callable, optional
        ``at_once(block, mask, region, out)`` does the same in a faster way; False if not here.
    by_value : bool
        Whether the filtered image is ``neutral`` where no pixel counts, and elsewhere is not as
        long as no pixel is: then it takes no mask.
    """

    of_image: BlockKernel
    of_mask: BlockKernel
    neutral: Any
    finish: Quotient | Present
    counted: Counted
    beyond: int
    reach: Reach
    modes: Sequence[ModeName]
    dtype: np.dtype[Any]
    at_once: Callable[..., bool] | None = None
    by_value: bool = False

    def __call__(self, block: Block, where: Block | None = None) -> Block:
        """Filter all of a block."""
        return self.in_region(block, where)

    def in_region(
        self, block: Block, where: Block | None = None, region: Slices | None = None
    ) -> Block:
        """Filter a block, and return the pixels of a region."""
        mask = self.counted.in_block(block, where)
        region = region or tuple(slice(0, size) for size in block.shape)
        shape = [along.stop - along.start for along in region]
        result = np.empty_like(block, dtype=self.dtype, shape=shape, order="C")
        if not block.ndim or type(block) is not np.ndarray:
            self._filter(block, mask, region, result)
            return result
        between = block.dtype if self.by_value else _work_dtype(self.dtype)
        pieces = strips(block, region, self.reach[0], self.modes[0], between.itemsize)
        for rows, inner, written in pieces:
            self._filter(block[rows], mask[rows], inner, result[written])
        return result

    def _filter(self, block, mask, region, out):
        numpy = type(block) is np.ndarray
        if numpy and self.at_once is not None and self.at_once(block, mask, region, out):
            return None
        # At the edges too, all pixels of a window count where all of a block do.
        if (self.beyond or not _is_constant(self.modes)) and mask.all():
            value = self.of_image.on_boxes([block], region)
            return self.finish(
                value, np.full_like(value.real, self._of_all(mask, block.dtype)), out
            )
        if numpy and isinstance(self.finish, Quotient) and _takes_counted(self.of_image):
            return kernels.counted.average(
                self.of_image, block, mask, region, out, beyond=self.beyond,
                work=_work_dtype(self.dtype), least=self.finish.least, fill=self.finish.fill,
                otherwise=self._in_turn,
            )  # fmt: skip
        return self._in_turn(block, mask, region, out)

    def _in_turn(self, block, mask, region, out):
        """Filter the image, and then the mask."""
        filled, distinct = None, False
        if type(block) is np.ndarray:
            filled, distinct = kernels.counted.fill_in(block, mask, block.dtype.type(self.neutral))
        filled = self.filled(block, mask) if filled is None else filled
        value = self.of_image.on_boxes([filled], region)
        if distinct and self.by_value and value.dtype == block.dtype == out.dtype:
            return self.finish.by_value(value, out)
        numbers = self.finish.as_numbers(mask, block.dtype)
        return self.finish(value, self.of_mask.on_boxes([numbers], region), out)

    def _of_all(self, mask, dtype):
        """Return what the filtered mask is where all pixels count, to the last bit."""
        one = self.finish.as_numbers(np.ones_like(mask, shape=(1,) * mask.ndim), dtype)
        return self.of_mask.on_boxes([one], None).ravel()[0]

    def filled(self, block: Block, mask: Block) -> Block:
        """Return a block in which pixels that do not count cannot matter."""
        return np.where(mask, block, block.dtype.type(self.neutral))


def _takes_counted(filter_of_image):
    """Tell whether a filter, or each of its passes, has a kernel for the image and its mask."""
    passes = filter_of_image.keywords.get("passes")
    found = [filter_of_image.kernel] if passes is None else [step.kernel for step in passes]
    return all(getattr(kernel, "takes_counted", False) for kernel in found)


def average_counted(
    kernel: Callable[..., Any],
    image: Array,
    counted: Counted,
    edges: Edges,
    *,
    name: str,
    reach: Reach,
    dtype: np.dtype[Any],
    **keywords: Any,
) -> Array:
    """
    Run a linear filter, whose weights are none of them negative, on the pixels that count.

    Parameters
    ----------
    kernel, image, name, reach, dtype, **keywords
        As for `map_neighborhood`; the kernel takes ``output``, ``mode``, ``cval``, and its
        ``weights`` are among the keywords.
    counted : Counted
    edges : Edges

    Returns
    -------
    dask.array.Array
    """
    work = _work_dtype(dtype)
    beyond = counted.beyond_edges(edges.cval)
    keywords |= {"mode": edges.mode}
    of_image = keywords | {"output": work, "cval": edges.cval if beyond else 0}
    of_mask = keywords | {"output": np.empty(0, work).real.dtype, "cval": beyond}
    masked = CountedKernel(
        BlockKernel(kernel, of_image), BlockKernel(kernel, of_mask), 0,
        Quotient(0.0, fill_for(counted, dtype), dtype), counted.for_blocks, beyond, reach,
        edges.modes, dtype,
    )  # fmt: skip
    return map_neighborhood(
        masked, image, *counted.masks, name=name, reach=reach, modes=edges.modes, dtype=dtype
    )


def _work_dtype(dtype):
    """Return what to compute in: integers are made of their quotients alone."""
    return dtype if dtype.kind in "fc" else np.dtype(np.float64)


def _is_constant(modes):
    return any(MODES[mode].as_filter == "constant" for mode in modes)


def differs_beyond(neutral: Any, cval: Any, modes: Sequence[Any]) -> bool:
    """Tell whether what is beyond the edges is a number other than ``neutral``."""
    return not _is_constant(modes) or bool(cval == cval and cval != neutral)


def average_passes(
    image: Array,
    counted: Counted,
    passes: Sequence[Pass],
    *,
    least: float,
    dtype: np.dtype[Any],
    name: str,
) -> Array:
    """
    Run passes of means on the pixels that count.

    Parameters
    ----------
    image : dask.array.Array
    counted : Counted
    passes : sequence of Pass
        Their weights are not negative and sum to one. The keyword ``cval`` is the value beyond
        the edges, ``output`` is added.
    least : float
        No weight of a window is as small; what rounding leaves of none is smaller.
    dtype : dtype
    name : str
        Of the function that the user called.

    Returns
    -------
    dask.array.Array
    """
    work = _work_dtype(dtype)
    finish = Quotient(least, fill_for(counted, dtype), dtype)
    both = _CountedPasses(passes, passes, 0, finish, work, np.empty(0, work).real.dtype)
    at_once = _BoxMeans.of(passes, counted, finish.fill)
    return _map_passes(image, counted, both, dtype, name, at_once)


def extremum_passes(
    image: Array,
    counted: Counted,
    passes: Sequence[Pass],
    of_mask: Sequence[Pass],
    *,
    neutral: Any,
    dtype: np.dtype[Any],
    name: str,
) -> Array:
    """
    Run passes that find the least or the greatest of the pixels that count.

    Parameters
    ----------
    image : dask.array.Array
    counted : Counted
    passes, of_mask : sequence of Pass
        Those of the image, and the same of maxima for the mask.
    neutral : number
        What no pixel is less than, or greater than.
    dtype, name
        As for `average_passes`.

    Returns
    -------
    dask.array.Array
    """
    finish = Present(fill_for(counted, dtype), neutral)
    both = _CountedPasses(passes, of_mask, neutral, finish, dtype, np.dtype(np.uint8))
    return _map_passes(image, counted, both, dtype, name)


def extremum_counted(
    kernel: Callable[..., Any],
    maximum_filter: Callable[..., Any],
    image: Array,
    counted: Counted,
    edges: Edges,
    *,
    neutral: Any,
    name: str,
    reach: Reach,
    dtype: np.dtype[Any],
    **keywords: Any,
) -> Array:
    """
    Find the least or the greatest of the pixels that count, in windows of any shape.

    Parameters
    ----------
    kernel, maximum_filter : callable
        The plain filter, and `scipy.ndimage.maximum_filter` or what stands for it.
    image, counted, edges, neutral, name, reach, dtype, **keywords
        As for `extremum_passes` and `average_counted`.

    Returns
    -------
    dask.array.Array
    """
    beyond = counted.beyond_edges(edges.cval)
    outside = edges.cval if beyond else neutral
    keywords |= {"mode": edges.mode}
    masked = CountedKernel(
        BlockKernel(kernel, keywords | {"output": dtype, "cval": outside}),
        BlockKernel(maximum_filter, keywords | {"output": np.dtype(np.uint8), "cval": beyond}),
        neutral, Present(fill_for(counted, dtype), neutral), counted.for_blocks, beyond, reach,
        edges.modes, dtype,
        by_value=not beyond or differs_beyond(neutral, edges.cval, edges.modes),
    )  # fmt: skip
    return map_neighborhood(
        masked, image, *counted.masks, name=name, reach=reach, modes=edges.modes, dtype=dtype
    )


@dataclass(frozen=True)
class _BoxMeans:
    """
    Means of boxes of short integers: `CountedKernel.at_once`.

    Attributes
    ----------
    box : dict
        ``size``, ``axes``, ``mode`` and ``origin`` as SciPy takes them.
    cval, fill : number
    beyond : int
        1 if pixels beyond the edges count in mode "constant", else 0.
    """

    box: dict[str, Any]
    cval: Any
    fill: Any
    beyond: int

    @classmethod
    def of(cls, passes: Sequence[Pass], counted: Counted, fill: Any) -> _BoxMeans | None:
        """Return what does the same as passes do, None if there is nothing."""
        if not passes or not all("size" in step.keywords for step in passes):
            return None
        box = {name: [step.keywords[name] for step in passes] for name in ("size", "origin")}
        box |= {"axes": [step.axis for step in passes], "mode": [step.mode for step in passes]}
        cval = passes[0].keywords["cval"]
        return cls(box, cval, fill, counted.beyond_edges(cval))

    def __call__(self, block: Block, mask: Block, region: Slices, out: Block) -> bool:
        """Write means to ``out``; tell whether that could be done."""
        return kernels.counted.average_boxes(
            block, mask, region, out, cval=self.cval, fill=self.fill, beyond=self.beyond, **self.box
        )


@dataclass(frozen=True)
class _CountedPasses:
    """
    Passes of an image and of its mask, and what is made of both.

    Attributes
    ----------
    of_image, of_mask : sequence of Pass
    neutral, finish
        As of `CountedKernel`.
    work, share : dtype
        What image and mask are filtered in.
    """

    of_image: Sequence[Pass]
    of_mask: Sequence[Pass]
    neutral: Any
    finish: Quotient | Present
    work: np.dtype[Any]
    share: np.dtype[Any]


def _map_passes(image, counted, both, dtype, name, at_once=None):
    """Run passes of image and mask: in one task a block, or apart where the halos are thick."""
    work, share, neutral, finish = both.work, both.share, both.neutral, both.finish
    cval = both.of_image[0].keywords["cval"] if both.of_image else 0
    beyond = counted.beyond_edges(cval)
    passes = _with(both.of_image, output=work, cval=cval if beyond else neutral)
    of_mask = _with(both.of_mask, output=share, cval=beyond)
    if not passes:
        filters = BlockKernel(_cast, {"dtype": work}), BlockKernel(_cast, {"dtype": share})
    else:
        filters = tuple(BlockKernel(run_passes, {"passes": each}) for each in (passes, of_mask))
    reach, modes = passes_reach(passes, image.ndim)
    by_value = isinstance(finish, Present) and (not beyond or differs_beyond(neutral, cval, modes))
    masked = CountedKernel(
        *filters, neutral, finish, counted.for_blocks, beyond, reach, modes, dtype,
        at_once=at_once, by_value=by_value,
    )  # fmt: skip
    if run_apart(image, passes):
        return _map_apart(image, counted, masked, passes, of_mask, dtype, name)
    return map_neighborhood(
        masked, image, *counted.masks, name=name, reach=reach, modes=modes, dtype=dtype
    )


def _with(passes, **keywords):
    return tuple(replace(step, keywords=step.keywords | keywords, again=None) for step in passes)


def _cast(block, dtype):
    return block.astype(dtype)


def _map_apart(image, counted, masked, passes, of_mask, dtype, name):
    """
    Run passes one after another, each over the image and its mask in one task.

    Both lie side by side along a new first axis, so that they exchange one halo.
    """
    like, work = functools.partial(block_meta, like=image._meta), passes[0].keywords["output"]
    both = map_blocks(
        _both, image, *counted.masks, name=f"{name}-fill", kernel=masked, new_axis=0,
        chunks=((2,), *image.chunks), meta=like(image.ndim + 1, image.dtype),
    )  # fmt: skip
    each = [
        replace(
            step, kernel=_EachOfBoth(step.kernel, on_mask.kernel), axis=step.axis + 1,
            keywords={"of_image": step.keywords, "of_mask": on_mask.keywords | {"output": work}},
        )
        for step, on_mask in zip(passes, of_mask, strict=True)
    ]  # fmt: skip
    *others, last = each
    for step in others:
        both = map_passes(both, [step], work, name)
    last = replace(last, kernel=_Finished(last.kernel, masked.finish, dtype))
    reach, modes = passes_reach([last], both.ndim)
    return map_neighborhood(
        run_passes, both, name=name, reach=reach, modes=modes, dtype=dtype, drop_axes=1,
        passes=(last,),
    )  # fmt: skip


def _both(block: Block, where: Block | None = None, *, kernel: CountedKernel) -> Block:
    """Return the pixels of a block that a kernel filters, and which of them count."""
    mask = kernel.counted.in_block(block, where)
    return np.stack([kernel.filled(block, mask), mask.astype(block.dtype)])


@dataclass(frozen=True)
class _EachOfBoth:
    """A pass over what `_both` returns, by one kernel for the image and one for its mask."""

    of_image: Callable[..., Any]
    of_mask: Callable[..., Any]

    def __call__(self, both: Block, **keywords: Any) -> Block:
        return self.in_region(both, None, **keywords)

    def in_region(
        self,
        both: Block,
        region: Slices | None,
        *,
        axis: int,
        mode: ModeName,
        of_image: dict[str, Any],
        of_mask: dict[str, Any],
    ) -> Block:
        """Run both kernels, and return the pixels of a region."""
        within = None if region is None else region[1:]
        filters = (self.of_image, of_image), (self.of_mask, of_mask)
        filtered = [
            BlockKernel(kernel, {"axis": axis - 1, "mode": mode, **keywords}).on_boxes(
                [part], within
            )
            for part, (kernel, keywords) in zip(both, filters, strict=True)
        ]
        return np.stack(filtered)


@dataclass(frozen=True)
class _Finished:
    """The last pass over what `_both` returns, and what is made of its results."""

    run: _EachOfBoth
    finish: Quotient | Present
    dtype: np.dtype[Any]

    def __call__(self, both: Block, **keywords: Any) -> Block:
        return self.in_region(both, None, **keywords)

    def in_region(self, both: Block, region: Slices | None, **keywords: Any) -> Block:
        """Run both kernels, and return what comes of the pixels of a region."""
        value, counted = self.run.in_region(both, region, **keywords)
        result = np.empty_like(both, dtype=self.dtype, shape=value.shape, order="C")
        # A mask is real, whatever it is stored in.
        self.finish(value, counted.real, result)
        return result
