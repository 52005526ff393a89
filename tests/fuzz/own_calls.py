"""Calls of functions that SciPy does not have: one block must give what many do."""

import numpy as np

from tests.fuzz import functions
from tests.fuzz.draw import Case, Chunked

OWN_CALLS = {}
"""For each name a function that draws a `Case`; the reference is the same call of one block."""


def draws(*names):
    """Register a function that draws cases of all these names."""

    def register(function):
        for name in names:
            OWN_CALLS[name] = function
        return function

    return register


@draws("threshold_local")
def threshold_local(draw, name):
    """Draw methods of averaging."""
    image = draw.image("uf", limits=0)
    method = draw.choice("gaussian", "mean", "median")
    return Case(name, {"image": image, "block_size": draw.choice(3, 5, 9), "method": method,
                       "mode": draw.mode(), "offset": draw.choice(0, 2)}, "whole")  # fmt: skip


@draws("local_mean", "local_standard_deviation", "local_percentile", "local_histogram",
       "apply_local_function")  # fmt: skip
def local_statistics(draw, name):
    """Draw windows, grids and masks."""
    image = draw.image("u" if name == "local_histogram" else "uif", limits=0, empty=0,
                       wild=0.3 if name == "local_percentile" else 0)  # fmt: skip
    shape = image.array.shape
    arguments = {"source": image, "selem": draw.choice(2, 3, 5), "step": draw.choice(None, 1, 2),
                 "interpolate": draw.choice(None, 0, 1)}  # fmt: skip
    if draw.chance(0.6):
        arguments["spacing"] = draw.spacing(shape)
    elif min(shape) < np.max(arguments["selem"]):
        arguments["spacing"] = (1,) * len(shape)
    if name == "apply_local_function":
        arguments |= {"function": functions.total, "dtype": "f8"}
    if name == "local_percentile":
        arguments["percentile"] = draw.choice(0.0, 0.5, 1.0, 0.95, [0.1, 0.9])
    if name == "local_histogram":
        arguments |= {"max_bin": draw.choice(1, 10, 300)}
    if draw.chance(0.3) and name not in ("apply_local_function",):
        arguments["mask"] = draw.chunked(draw.values(shape, "?"))
    return Case(name, arguments, "whole")


@draws("relabel_sequential")
def relabel_sequential(draw, name):
    """Draw labels at the limits of their dtypes."""
    labels = draw.image("u")
    return Case(name, {"labels": labels, "offset": draw.choice(1, 1, 5, 250)}, "whole")


@draws("area")
def area(draw, name):
    """Draw labels and an index."""
    labels = draw.image("biu")
    index = draw.random.choice(labels.array.ravel(), 3) if labels.array.size else None
    image = Chunked(np.zeros(labels.array.shape), labels.chunks)
    return Case(name, {"image": image, "label_image": labels, "index": index}, "whole")


@draws("label")
def label(draw, name):
    """Draw axes whose ends meet."""
    image = draw.image("biuf", wild=0.2)
    ndim = image.array.ndim
    structure = None
    if draw.chance(0.6):
        structure = draw.structure([3] * ndim, symmetric=True)
    return Case(
        name, {"image": image, "structure": structure, "wrap_axes": rings(draw, ndim)}, "whole"
    )


# ---------------------------------------------------------------------------------------
# Filters of the pixels that count


def counting(draw, array):
    """Return which pixels count, as an image or by a policy, and the value where none does."""
    arguments = {"fill_value": draw.choice(None, None, 0, 5)}
    if draw.chance(0.7):
        arguments["where"] = draw.chunked(draw.values(array.shape, "?"))
    if draw.chance(0.3):
        arguments["nan_policy"] = "omit"
    return arguments


@draws("gaussian_filter where", "uniform_filter where")
def counted_means(draw, name):
    """Draw sizes along axes."""
    name = name.removesuffix(" where")
    # Where a running sum ends that holds NaN or infinity depends on the blocks.
    image = draw.image("uf", wild=0.2 if name == "gaussian_filter" else 0, limits=0)
    key, value = ("sigma", draw.scale(0, 0.7, 2.0)) if name == "gaussian_filter" else (
        "size", draw.integer(1, 5))  # fmt: skip
    return Case(name, {"image": image, key: value, "mode": draw.mode(), "cval": draw.choice(0, 2.5),
                       "axes": draw.axes(image.array.ndim), "output": "f8"}
                | counting(draw, image.array), "whole", loose=1e-9)  # fmt: skip


@draws("convolve where", "correlate where")
def counted_weights(draw, name):
    """Draw weights whose sum is not zero."""
    image = draw.image("uf", wild=0.2, limits=0)
    weights = np.abs(draw.values(draw.lengths(image.array, image.array.ndim), "f8")) + 0.5
    return Case(name.removesuffix(" where"),
                {"image": image, "weights": weights, "mode": draw.mode(), "output": "f8"}
                | counting(draw, image.array), "whole", loose=1e-9)  # fmt: skip


@draws("minimum_filter where", "maximum_filter where", "median_filter where",
       "percentile_filter where", "rank_filter where")  # fmt: skip
def counted_ranks(draw, name):
    """Draw windows of any kind."""
    name = name.removesuffix(" where")
    image = draw.image("uif", limits=0 if name in ("minimum_filter", "maximum_filter") else 0.3)
    sizes = draw.lengths(image.array, image.array.ndim)
    arguments = {"image": image, "mode": draw.mode(), "cval": draw.choice(0, 3)}
    if draw.chance(0.5):
        arguments["size"] = sizes
    else:
        arguments["footprint"] = draw.footprint(sizes)
    if name == "percentile_filter":
        arguments["percentile"] = draw.choice(0, 30, 50, 100)
    if name == "rank_filter":
        arguments["rank"] = draw.choice(0, -1)
    return Case(name, arguments | counting(draw, image.array), "whole")


@draws("fill_missing")
def fill_missing(draw, name):
    """Draw gaps given by an image or as NaN."""
    image = draw.image("uf", wild=0.5, limits=0)
    where = None
    if image.array.dtype.kind == "u" or draw.chance(0.5):
        where = draw.chunked(draw.values(image.array.shape, "?"))
    method = draw.choice("nearest", "smooth", "inpaint")
    return Case(name, {"image": image, "where": where, "method": method}, "whole", loose=1e-6)


# ---------------------------------------------------------------------------------------
# Segmentation


def rings(draw, ndim):
    """Return axes whose ends meet, or none."""
    return tuple(axis for axis in range(ndim) if draw.chance(0.4))


def ties(draw, kinds="uif", wild=0.0):
    """Return an image of few values, so that many pixels are equal."""
    image = draw.image(kinds, limits=0.1, wild=wild)
    if image.array.dtype.kind in "iu" and draw.chance(0.7):
        return Chunked(image.array % image.array.dtype.type(draw.choice(2, 3, 5)), image.chunks)
    return image


def seeds(draw, shape):
    """Return an image of a few labels."""
    labels = draw.values(shape, draw.choice("i4", "u1", "i8"), limits=0)
    return draw.chunked(np.where(draw.random.random(shape) < 0.8, 0, np.abs(labels)))


@draws("distance_transform_bf", "distance_transform_cdt", "distance_transform_edt")
def distances(draw, name):
    """Draw axes whose ends meet, which SciPy has none of."""
    image = draw.image("b", ndim=draw.integer(1, 3))
    arguments = {"image": image, "wrap_axes": tuple({0, *rings(draw, image.array.ndim)})}
    if name != "distance_transform_edt":
        arguments["metric"] = draw.choice("taxicab", "chessboard")
    return Case(name, arguments | {"return_indices": draw.chance(0.5)}, "whole")


@draws("watershed")
def watershed(draw, name):
    """Draw ties, walls, masks and markers, or no markers."""
    image = ties(draw, wild=0.2)
    shape = image.array.shape
    arguments = {"image": image, "markers": draw.maybe(lambda: seeds(draw, shape), 0.8)}
    arguments["connectivity"] = draw.integer(1, len(shape))
    if draw.chance(0.4):
        arguments["mask"] = draw.chunked(draw.values(shape, "?"))
    arguments["wrap_axes"] = rings(draw, len(shape))
    return Case(name, arguments | {"watershed_line": draw.chance(0.3)}, "whole")


@draws("reconstruction")
def reconstruction(draw, name):
    """Draw seeds on their side of the mask."""
    image = ties(draw, wild=0.1)
    method = draw.choice("dilation", "erosion")
    limit = np.minimum if method == "dilation" else np.maximum
    other = draw.random.permutation(image.array.ravel()).reshape(image.array.shape)
    seed = draw.chunked(limit(image.array, other))
    axes = rings(draw, image.array.ndim)
    return Case(name, {"seed": seed, "mask": image, "method": method, "wrap_axes": axes}, "whole")


@draws("h_maxima", "h_minima")
def extended_extrema(draw, name):
    """Draw heights."""
    image = ties(draw)
    axes = rings(draw, image.array.ndim)
    return Case(name, {"image": image, "h": draw.choice(1, 2, 5), "wrap_axes": axes}, "whole")


@draws("local_maxima", "local_minima")
def local_extrema(draw, name):
    """Draw plateaus."""
    image = ties(draw)
    ndim = image.array.ndim
    return Case(name, {"image": image, "connectivity": draw.choice(None, *range(1, ndim + 1)),
                       "allow_borders": draw.chance(0.6), "wrap_axes": rings(draw, ndim)},
                       "whole")  # fmt: skip


@draws("peak_local_max")
def peak_local_max(draw, name):
    """Draw distances, thresholds and numbers."""
    image = ties(draw)
    arguments = {"image": image, "min_distance": draw.integer(1, 3),
                 "exclude_border": draw.choice(True, False, 1),
                 "num_peaks": draw.choice(np.inf, np.inf, 1, 4),
                 "threshold_abs": draw.choice(None, 1)}  # fmt: skip
    if draw.chance(0.3):
        arguments["labels"] = seeds(draw, image.array.shape)
    arguments["wrap_axes"] = rings(draw, image.array.ndim)
    return Case(name, arguments, "whole")


@draws("remove_small_objects", "remove_small_holes")
def small_ones(draw, name):
    """Draw masks and labels."""
    image = draw.image("b") if name == "remove_small_holes" else draw.image("bu", limits=0)
    return Case(name, {"image": image, "max_size": draw.choice(0, 1, 3, 9),
                       "connectivity": draw.integer(1, image.array.ndim)}, "whole")  # fmt: skip


@draws("clear_border")
def clear_border(draw, name):
    """Draw widths of the border, or a mask for it."""
    labels = draw.image("bui", limits=0.1)
    arguments = {"labels": labels, "buffer_size": draw.choice(0, 0, 1)}
    if draw.chance(0.2):
        arguments = {"labels": labels, "mask": draw.chunked(draw.values(labels.array.shape, "?"))}
    return Case(name, arguments, "whole")


@draws("expand_labels")
def expand_labels(draw, name):
    """Draw distances in units of the spacing."""
    image = seeds(draw, draw.shape())
    spacing = draw.choice(1, [draw.choice(0.5, 1, 2.5) for _ in image.array.shape])
    return Case(name, {"label_image": image, "distance": draw.choice(0, 1, 1.5, 4),
                       "spacing": spacing}, "whole")  # fmt: skip


@draws("find_boundaries")
def find_boundaries(draw, name):
    """Draw where a boundary lies."""
    labels = draw.image("bui", limits=0.1)
    mode = draw.choice("thick", "inner", "outer", "subpixel")
    return Case(name, {"label_img": labels, "mode": mode,
                       "connectivity": draw.integer(1, labels.array.ndim)}, "whole")  # fmt: skip


@draws("join_segmentations")
def join_segmentations(draw, name):
    """Draw two label images in chunks of their own."""
    first = draw.image("u", limits=0)
    second = draw.chunked(draw.values(first.array.shape, "u2", limits=0))
    return Case(name, {"s1": first, "s2": second, "return_mapping": draw.chance(0.5)}, "whole")


@draws("threshold_otsu", "threshold_li", "threshold_triangle", "threshold_yen",
       "threshold_isodata")  # fmt: skip
def thresholds(draw, name):
    """Draw images of all dtypes."""
    return Case(name, {"image": draw.image("uif", limits=0.1)}, "whole", loose=1e-9)


@draws("apply_hysteresis_threshold")
def apply_hysteresis_threshold(draw, name):
    """Draw two thresholds, one image among them."""
    image = draw.image("uif", limits=0.1, wild=0.2)
    high = draw.maybe(lambda: draw.chunked(draw.values(image.array.shape, "f8")), 0.3, 3)
    return Case(name, {"image": image, "low": draw.choice(0, 1), "high": high}, "whole")


@draws("rescale_intensity")
def rescale_intensity(draw, name):
    """Draw ranges."""
    image = draw.image("uif", limits=0.1)
    return Case(name, {"image": image, "in_range": draw.choice("image", "dtype", (0, 5)),
                       "out_range": draw.choice("dtype", (0, 1), "u1")}, "whole")  # fmt: skip


@draws("downscale_local_mean")
def downscale_local_mean(draw, name):
    """Draw factors that leave a rest."""
    image = draw.image("uif", limits=0)
    factors = tuple(draw.integer(1, 3) for _ in image.array.shape)
    return Case(name, {"image": image, "factors": factors}, "whole")


@draws("pyramid")
def pyramid(draw, name):
    """Draw methods; label images by mode."""
    image = draw.image("ui", limits=0)
    return Case(name, {"image": image, "levels": draw.choice(1, 2, 3),
                       "method": draw.choice("mean", "mode", "nearest")}, "whole")  # fmt: skip


# ---------------------------------------------------------------------------------------
# Backgrounds


@draws("local_sigma_clipped")
def local_sigma_clipped(draw, name):
    """Draw statistics and masks."""
    image = draw.image("uf", limits=0, empty=0, wild=0.3)
    arguments = {"source": image, "selem": draw.choice(2, 3, 5),
                 "statistic": draw.choice("median", "mean", "std", "mode"),
                 "sigma": draw.choice(1.5, 3), "interpolate": draw.choice(None, 0, 1),
                 "spacing": draw.spacing(image.array.shape),
                 "fill": draw.choice("nearest", "median", 0, None)}  # fmt: skip
    if draw.chance(0.3):
        arguments["mask"] = draw.chunked(draw.values(image.array.shape, "?"))
    return Case(name, arguments, "whole", loose=1e-9)


@draws("background")
def background(draw, name):
    """Draw boxes and sizes of the filter."""
    image = draw.image("uf", limits=0, empty=0, ndim=2, wild=0.2)
    return Case(name, {"image": image, "box": draw.choice(2, 3, 5),
                       "filter_size": draw.choice(1, 3), "interpolate": draw.chance(0.5)},
                "whole", loose=1e-9)  # fmt: skip


@draws("estimate_illumination")
def estimate_illumination(draw, name):
    """Draw tiles with gaps, and where they lie."""
    tiles = draw.image("uf", limits=0, ndim=draw.choice(2, 3), empty=0, wild=0.2)
    axis = draw.choice(None, *range(tiles.array.ndim))
    return Case(name, {"tiles": tiles, "box": draw.choice(1, 2, 3), "axis": axis,
                       "sigma": draw.choice(0, 1), "percentile": draw.choice(20, 50),
                       "dark": draw.choice(0, 3)}, "whole", loose=1e-9)  # fmt: skip


@draws("correct_illumination")
def correct_illumination(draw, name):
    """Draw light of zero and dtypes at their limits."""
    image = draw.image("uif", wild=0.2)
    flat = draw.chunked(draw.values(image.array.shape, "f8", limits=0))
    return Case(name, {"image": image, "flat": flat, "dark": draw.choice(0, 3),
                       "output": draw.choice(None, "u1", "i8", "f4")}, "whole")  # fmt: skip


@draws("subtract_background")
def subtract_background(draw, name):
    """Draw all methods."""
    image = draw.image("uif", limits=0, empty=0)
    method = draw.choice("percentile", "rolling_ball", "white_tophat", "gaussian")
    return Case(name, {"image": image, "size": draw.choice(1, 2, 3), "method": method,
                       "output": draw.choice(None, image.array.dtype.name)},
                "whole", loose=1e-5)  # fmt: skip


@draws("blob_log", "blob_dog")
def blobs(draw, name):
    """Draw thresholds and borders."""
    image = draw.image("uf", limits=0, empty=0)
    arguments = {"num_sigma": draw.integer(1, 4)} if name == "blob_log" else {"sigma_ratio": 1.4}
    return Case(name, {"image": image, "min_sigma": 1, "max_sigma": draw.choice(1, 2, 3),
                       "threshold": draw.choice(None, 0.05, 1),
                       "exclude_border": draw.choice(False, 1), **arguments}, "whole")  # fmt: skip
