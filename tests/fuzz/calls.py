"""Calls of each function of `scipy.ndimage` that SciPy answers, drawn at random."""

import numpy as np
from scipy import ndimage

from tests.fuzz import functions
from tests.fuzz.draw import FILTER_MODES, GRID_MODES, Case, Chunked

CALLS = {}
"""For each name a function that draws a `Case`."""


def draws(*names):
    """Register a function that draws cases of all these names."""

    def register(function):
        for name in names:
            CALLS[name] = function
        return function

    return register


def selected_axes(axes, ndim):
    """Return how many axes ``axes`` stand for."""
    return ndim if axes is None else 1 if np.isscalar(axes) else len(axes)


# ---------------------------------------------------------------------------------------
# Filters


def window(draw, image, axes, footprint=0.5, separable=False):
    """Return sizes or a footprint, and origins."""
    count = selected_axes(axes, image.ndim)
    has_footprint = draw.chance(footprint) and count > 0
    sizes = draw.lengths(image, count, has_footprint or not separable)
    origin = draw.maybe(lambda: [draw.origin(size) for size in sizes], 0.4, 0)
    if has_footprint:
        return {"footprint": draw.footprint(sizes), "origin": origin}
    if len(set(sizes)) == 1 and draw.chance(0.5):
        sizes = sizes[0]
    return {"size": sizes, "origin": origin}


def boundary(draw, image, count=0, modes=FILTER_MODES):
    """Return mode and cval."""
    return {"mode": draw.mode(count, modes), "cval": draw.cval(image)}


@draws("maximum_filter", "minimum_filter")
def extremum_filters(draw, name):
    """Draw windows of any kind."""
    image = draw.image(wild=0)
    axes = draw.axes(image.array.ndim)
    count = selected_axes(axes, image.array.ndim)
    spec = window(draw, image.array, axes, 0.4, separable=True)
    modes = 0 if "footprint" in spec else count
    return Case(name, {"input": image, **spec, **boundary(draw, image.array, modes), "axes": axes,
                       "output": draw.output(image.array)})  # fmt: skip


@draws("rank_filter", "percentile_filter", "median_filter")
def rank_filters(draw, name):
    """Draw ranks of windows."""
    image = draw.image()
    if image.array.ndim == 1 and image.array.dtype.name == "uint64":
        image = Chunked(image.array >> 1, image.chunks)  # SciPy takes them for signed ones
    array = image.array
    axes = draw.axes(array.ndim)
    # In 1-D images SciPy ignores the holes of a footprint, and reads beyond images that are
    # shorter than the window.
    spec = window(draw, array, axes, 0.4 if array.ndim > 1 else 0)
    if array.ndim == 1 and np.max(spec["size"]) > array.size > 0:
        spec = {"size": array.size}
    arguments = {"input": image, **spec, **boundary(draw, array), "axes": axes}
    pixels = spec["footprint"].sum() if "footprint" in spec else np.prod(
        np.broadcast_to(spec["size"], selected_axes(axes, array.ndim)))  # fmt: skip
    if name == "rank_filter":
        arguments["rank"] = draw.integer(-int(pixels), int(pixels) - 1)
    if name == "percentile_filter":
        arguments["percentile"] = draw.choice(0, 100, 50, -1, 33.3, draw.integer(0, 100))
    return Case(name, arguments)


@draws("generic_filter")
def generic_filter(draw, name):
    """Draw functions of windows."""
    image = draw.image("biuf", limits=0)
    axes = draw.axes(image.array.ndim)
    function = draw.choice(functions.total, functions.spread)
    arguments = {"input": image, "function": function, **window(draw, image.array, axes),
                 **boundary(draw, image.array), "axes": axes, "output": "f8"}  # fmt: skip
    if function is functions.spread and draw.chance(0.5):
        arguments |= draw.choice({"extra_arguments": (2.0,)}, {"extra_keywords": {"scale": 3.0}})
    return Case(name, arguments)


@draws("vectorized_filter")
def vectorized_filter(draw, name):
    """Draw functions of stacked windows."""
    image = draw.image("iuf", limits=0, empty=0)
    axes = draw.axes(image.array.ndim)
    function = draw.choice(np.max, functions.spread_of_windows)
    spec = window(draw, image.array, axes, 0.3)
    if spec["origin"] == 0:
        del spec["origin"]
    mode = draw.choice("reflect", "constant", "nearest", "mirror", "wrap")
    arguments = {"input": image, "function": function, **spec, "mode": mode, "axes": axes}
    if mode == "constant":
        arguments["cval"] = draw.choice(0, 1, 3)
    return Case(name, arguments)


@draws("maximum_filter1d", "minimum_filter1d", "uniform_filter1d")
def line_filters(draw, name):
    """Draw windows along one axis."""
    image = draw.image(limits=0 if name == "uniform_filter1d" else 0.3)
    size = draw.choice(1, 2, 3, 5, 17, *draw.lengths(image.array, 1, False))
    return Case(name, {"input": image, "size": size, "axis": draw.integer(-1, 0),
                       "origin": draw.origin(size), **boundary(draw, image.array),
                       "output": draw.output(image.array)})  # fmt: skip


@draws("generic_filter1d")
def generic_filter1d(draw, name):
    """Draw a function of lines."""
    image = draw.image("iuf", limits=0)
    return Case(name, {"input": image, "function": functions.smooth_line, "filter_size": 3,
                       "axis": draw.integer(-1, 0), **boundary(draw, image.array),
                       "output": "f8"})  # fmt: skip


@draws("correlate1d", "convolve1d")
def line_correlations(draw, name):
    """Draw weights along one axis."""
    image = draw.image("biufc", limits=0)
    size = draw.choice(5, *draw.lengths(image.array, 1))
    weights = draw.values((size,), draw.choice("f8", "i8"), limits=0)
    if draw.chance(0.3):
        weights = weights + draw.choice(1, -1) * weights[::-1]
    modes = FILTER_MODES + GRID_MODES[1:]
    return Case(name, {"input": image, "weights": weights, "axis": draw.integer(-1, 0),
                       "origin": 0 if size == 1 else draw.origin(size - 1),
                       **boundary(draw, image.array, modes=modes),
                       "output": draw.choice("f8", "f4") if image.array.dtype.kind != "c" else
                       "c16"})  # fmt: skip


@draws("correlate", "convolve")
def correlations(draw, name):
    """Draw weights of as many axes as are meant."""
    image = draw.image("biufc", limits=0, wild=0.1)
    axes = draw.axes(image.array.ndim)
    count = selected_axes(axes, image.array.ndim)
    shape = draw.lengths(image.array, count)
    weights = draw.values(shape, draw.choice("f8", "i8", "f4"), limits=0)
    origins = [0 if size == 1 else draw.origin(size - 1) for size in shape]
    return Case(name, {"input": image, "weights": weights, "axes": axes,
                       "origin": draw.maybe(lambda: origins, 0.4, 0),
                       **boundary(draw, image.array),
                       "output": draw.choice("f8", "f4") if image.array.dtype.kind != "c" else
                       "c16"})  # fmt: skip


@draws("uniform_filter")
def uniform_filter(draw, name):
    """Draw boxes."""
    image = draw.image("biufc", limits=0)
    axes = draw.axes(image.array.ndim)
    count = selected_axes(axes, image.array.ndim)
    return Case(name, {"input": image, **window(draw, image.array, axes, 0, separable=True),
                       "axes": axes, **boundary(draw, image.array, count),
                       "output": draw.output(image.array)})  # fmt: skip


@draws("gaussian_filter", "gaussian_laplace", "gaussian_gradient_magnitude", "gaussian_filter1d")
def gaussians(draw, name):
    """Draw Gaussian windows."""
    image = draw.image("biuf" if "gradient" in name else "biufc", limits=0)
    axes = draw.axes(image.array.ndim)
    count = selected_axes(axes, image.array.ndim)
    real = image.array.dtype.kind != "c"
    arguments = {"input": image, "output": draw.choice("f8", "f4") if real else "c16"}

    def sigma():
        return draw.scale(0, 0.3, 0.7, 1, 1.5, 4.0)

    if name == "gaussian_filter1d":
        arguments |= {"sigma": draw.scale(0.3, 1, 2.5), "axis": draw.integer(-1, 0),
                      "order": draw.integer(0, 3), **boundary(draw, image.array)}  # fmt: skip
    else:
        arguments |= {"sigma": draw.each(count, sigma), "axes": axes,
                      **boundary(draw, image.array, count)}  # fmt: skip
    if name == "gaussian_filter":
        arguments["order"] = draw.each(count, lambda: draw.integer(0, 2))
    if "sigma" in arguments and np.all(arguments["sigma"]) and draw.chance(0.3):
        arguments |= draw.choice({"truncate": 2.5}, {"radius": 3}, {"radius": 0})
    elif not np.all(arguments["sigma"]):
        arguments["sigma"] = np.maximum(arguments["sigma"], 0.3).tolist()
    return Case(name, arguments)


@draws("laplace", "prewitt", "sobel", "generic_laplace", "generic_gradient_magnitude")
def derivatives(draw, name):
    """Draw derivatives."""
    image = draw.image("biuf", limits=0)
    arguments = {"input": image, "output": draw.choice("f8", "f4")}
    arguments |= boundary(draw, image.array)
    if name in ("prewitt", "sobel"):
        arguments["axis"] = draw.integer(-1, 0)
    else:
        arguments["axes"] = draw.axes(image.array.ndim)
    if name == "generic_laplace":
        arguments["derivative2"] = draw.choice(ndimage.sobel, ndimage.prewitt)
    if name == "generic_gradient_magnitude":
        arguments["derivative"] = draw.choice(ndimage.sobel, ndimage.prewitt)
    return Case(name, arguments)


# ---------------------------------------------------------------------------------------
# Morphology


@draws("grey_erosion", "grey_dilation", "grey_opening", "grey_closing", "white_tophat",
       "black_tophat", "morphological_gradient", "morphological_laplace")  # fmt: skip
def grey_morphology(draw, name):
    """Draw flat and other structures."""
    kinds = "iuf" if "hat" in name or "morph" in name else "biuf"
    image = draw.image(kinds, limits=0.2 if name.startswith("grey") else 0)
    axes = draw.axes(image.array.ndim)
    spec = window(draw, image.array, axes)
    if "footprint" in spec and draw.chance(0.4) and image.array.dtype.kind == "f":
        spec["structure"] = draw.values(spec["footprint"].shape, "f8")
    if draw.chance(0.4):
        spec["origin"] = 0
    return Case(name, {"input": image, **spec, **boundary(draw, image.array), "axes": axes})


def binary_structure(draw, image, axes, symmetric=False):
    """Return a structure that fits into the image, or None."""
    ndim = image.ndim
    kept = range(ndim) if axes is None else [axes] if np.isscalar(axes) else axes
    sizes = [image.shape[axis] for axis in kept]
    if draw.chance(0.3) or min(sizes, default=0) < 3:
        return None
    shape = [draw.choice(1, 2, 3, 3) for _ in sizes]
    return draw.structure([3] * len(sizes) if symmetric else shape, symmetric)


@draws("binary_erosion", "binary_dilation", "binary_opening", "binary_closing")
def binary_morphology(draw, name):
    """Draw structures, masks and iterations."""
    image = draw.image("biuf", wild=0.2, limits=0.1)
    axes = draw.axes(image.array.ndim)
    structure = binary_structure(draw, image.array, axes)
    arguments = {"input": image, "structure": structure, "axes": axes,
                 "border_value": draw.choice(0, 1, True, 0), "output": draw.choice(None, "u1", "?"),
                 "brute_force": draw.chance(0.2)}  # fmt: skip
    if structure is None or draw.chance(0.5):
        arguments["iterations"] = draw.choice(1, 1, 2, 3, 0, -1)
        # SciPy writes out of bounds where an iterated structure is longer than the image.
        if min(image.array.shape, default=0) < 3:
            arguments["iterations"] = 1
    if structure is not None and draw.chance(0.3):
        arguments["origin"] = [draw.origin(size) for size in structure.shape]
    if draw.chance(0.4):
        # Where it iterates, SciPy cuts fractions and high bits off the mask.
        mask = draw.values(image.array.shape, "?")
        arguments["mask"] = draw.chunked(mask.astype(draw.choice("?", "u1", "f8", "i8")))
    return Case(name, arguments)


@draws("binary_hit_or_miss")
def hit_or_miss(draw, name):
    """Draw two structures."""
    image = draw.image("biu")
    axes = draw.axes(image.array.ndim)
    structure = binary_structure(draw, image.array, axes)
    arguments = {"input": image, "structure1": structure, "axes": axes}
    if structure is not None and draw.chance(0.5):
        arguments["structure2"] = draw.structure(structure.shape)
    return Case(name, arguments)


@draws("binary_propagation", "binary_fill_holes")
def propagation(draw, name):
    """Draw masks and structures, symmetric ones mostly."""
    image = draw.image("biuf", limits=0.1)
    axes = draw.axes(image.array.ndim)
    structure = binary_structure(draw, image.array, axes, draw.chance(0.8))
    arguments = {"input": image, "structure": structure, "axes": axes}
    if min(image.array.shape, default=0) < 3:
        arguments["structure"] = None
    if name == "binary_propagation":
        arguments["border_value"] = draw.choice(0, 0, 1)
        if draw.chance(0.6):
            arguments["mask"] = draw.chunked(draw.values(image.array.shape, "?"))
    return Case(name, arguments)


@draws("generate_binary_structure")
def generate_binary_structure(draw, name):
    """Draw ranks."""
    return Case(name, {"rank": draw.integer(0, 4), "connectivity": draw.integer(-1, 5)}, "eager")


@draws("iterate_structure")
def iterate_structure(draw, name):
    """Draw structures of odd and even sizes."""
    structure = draw.structure([draw.integer(1, 4) for _ in range(draw.integer(1, 3))])
    arguments = {"structure": structure, "iterations": draw.integer(0, 4)}
    if draw.chance(0.3):
        arguments["origin"] = draw.choice(0, 1, -1)
    return Case(name, arguments, "eager")


@draws("distance_transform_bf", "distance_transform_cdt", "distance_transform_edt")
def distances(draw, name):
    """Draw metrics and samplings."""
    image = draw.image("biuf", limits=0.1)
    if not (image.array == 0).any() and draw.chance(0.9) and image.array.size:
        image.array.flat[draw.integer(0, image.array.size - 1)] = 0
    arguments = {"input": image}
    if name != "distance_transform_edt":
        metrics = ["chessboard", "taxicab", "cityblock"]
        arguments["metric"] = draw.choice(*metrics, *(["euclidean"] if name.endswith("bf") else []))
    if name != "distance_transform_cdt" and draw.chance(0.4):
        arguments["sampling"] = draw.each(image.array.ndim, lambda: draw.choice(0.5, 1, 2, 4.0))
        if name.endswith("bf") and arguments["metric"] != "euclidean":
            del arguments["sampling"]
    if draw.chance(0.4):
        arguments |= {"return_distances": draw.chance(0.7), "return_indices": True}
    return Case(name, arguments, "distances")


@draws("watershed_ift")
def watershed(draw, name):
    """Draw markers of other chunks and dtypes."""
    image = draw.image("u", limits=0.1, empty=0)
    if image.array.dtype.itemsize > 2:
        image = Chunked((image.array % 200).astype("u1"), image.chunks)
    markers = draw.random.integers(0, 5, image.array.shape) * (
        draw.random.random(image.array.shape) < 0.2
    )
    if draw.chance(0.2):
        markers = -markers
    structure = None
    if draw.chance(0.4):
        structure = ndimage.generate_binary_structure(image.array.ndim, draw.integer(1, 3))
    markers = draw.chunked(markers.astype(draw.choice("i1", "i2", "i4", "i8")))
    return Case(name, {"input": image, "markers": markers, "structure": structure})


# ---------------------------------------------------------------------------------------
# Fourier and interpolation


@draws("fourier_gaussian", "fourier_uniform", "fourier_ellipsoid", "fourier_shift")
def fourier(draw, name):
    """Draw spectra, whole and of real images."""
    image = draw.image("iufc", limits=0)
    count = image.array.ndim
    key = {"fourier_gaussian": "sigma", "fourier_shift": "shift"}.get(name, "size")

    def amount():
        return draw.choice(0, 0.5, 1, 2.3, 5) if key == "sigma" else draw.choice(1, 0.5, 2.3, 4)

    arguments = {"input": image, key: draw.each(count, amount)}
    if draw.chance(0.3) and count and image.array.shape[-1]:
        arguments |= {"n": draw.choice(0, -1, 1) + 2 * (image.array.shape[-1] - 1), "axis": -1}
        if arguments["n"] // 2 + 1 != image.array.shape[-1]:
            arguments["n"] = 2 * (image.array.shape[-1] - 1)
        if arguments["n"] < 1:
            arguments["n"] = -1
    return Case(name, arguments)


INTERPOLATION_MODES = FILTER_MODES + GRID_MODES


POLES = {2: 0.172, 3: 0.268, 4: 0.362, 5: 0.431}


def _tolerance(shape, arguments):
    """
    Return how far SciPy may be off where it starts a spline filter from a wrong value.

    That is so in mode "reflect" and what uses it, and decays along the line by the greatest
    pole of the filter. Single precision is less exact than this, but for short lines.
    """
    reflects = arguments["mode"] in ("reflect", "grid-mirror", "nearest")
    if arguments["order"] < 2 or not arguments.get("prefilter", True) or not reflects:
        return None
    decay = POLES[arguments["order"]] ** min(shape, default=1)
    single = np.dtype(arguments.get("output") or arguments["input"].array.dtype).name == "float32"
    return max(10 * decay, 1e-6 if single else 1e-12)


def interpolation(draw):
    """Return an image, and order, mode, cval and prefilter."""
    order = draw.integer(0, 5)
    image = draw.image("biufc" if draw.chance(0.1) else "uf", limits=0, empty=0)
    real = image.array.dtype.kind != "c"
    arguments = {"input": image, "order": order, "mode": draw.mode(0, INTERPOLATION_MODES),
                 "cval": draw.cval(image.array), "output": draw.choice("f8", None, "f4")
                 if real and image.array.dtype.kind == "f" else "f8" if real else None}  # fmt: skip
    # Face 1 leaves the prefilter out by default.
    arguments["prefilter"] = draw.chance(0.8)
    return image.array, arguments, _tolerance(image.array.shape, arguments)


@draws("affine_transform")
def affine_transform(draw, name):
    """Draw matrices of all forms."""
    image, arguments, loose = interpolation(draw)
    ndim = image.ndim
    scale = np.round(draw.random.uniform(0.3, 2.0, ndim), 2) * draw.choice(1, 1, -1)
    matrix = np.diag(scale)
    kind = draw.integer(0, 2)
    offset = np.round(draw.random.uniform(-2, 4, ndim), 2)
    if kind == 0:
        matrix = scale
    elif kind == 1:
        matrix = np.round(matrix + draw.random.uniform(-0.4, 0.4, (ndim, ndim)), 2)
    else:
        matrix = np.column_stack([matrix, offset])
    arguments["matrix"] = matrix
    if kind < 2:
        arguments["offset"] = draw.choice(0.0, 1.5, offset.tolist())
    if draw.chance(0.4):
        arguments["output_shape"] = tuple(draw.integer(1, 8) for _ in range(ndim))
    return Case(name, arguments, loose=loose)


@draws("geometric_transform")
def geometric_transform(draw, name):
    """Draw a mapping of coordinates."""
    _, arguments, loose = interpolation(draw)
    return Case(name, {**arguments, "mapping": functions.squeeze}, loose=loose)


@draws("map_coordinates")
def map_coordinates(draw, name):
    """Draw coordinates in and out of the image, lazy or not."""
    image, arguments, loose = interpolation(draw)
    shape = draw.shape(draw.integer(0, 2))
    top = np.array(image.shape, float).reshape(-1, *[1] * len(shape))
    coordinates = np.round(draw.random.uniform(-2, 1, (image.ndim, *shape)) % 1 * (top + 6) - 3, 3)
    if draw.chance(0.2):
        coordinates = np.round(coordinates) + 0.0
    lazy = draw.chunked(coordinates)
    lazy = Chunked(coordinates, ((image.ndim,), *lazy.chunks[1:]))
    return Case(
        name, {**arguments, "coordinates": lazy if draw.chance(0.6) else coordinates}, loose=loose
    )


@draws("rotate")
def rotate(draw, name):
    """Draw angles and planes."""
    image, arguments, loose = interpolation(draw)
    arguments |= {"angle": draw.choice(0, 30, -45.5, 90, 180, 271), "reshape": draw.chance(0.6)}
    if image.ndim < 2:
        return rotate(draw, name)
    axes = [int(axis) for axis in draw.random.permutation(image.ndim)[:2]]
    return Case(name, {**arguments, "axes": tuple(axes)}, loose=loose)


@draws("shift")
def shift(draw, name):
    """Draw shifts of whole pixels and others."""
    image, arguments, loose = interpolation(draw)
    arguments["shift"] = draw.each(image.ndim, lambda: draw.choice(0, 1, -2, 0.5, 1.3, -7.7, 30))
    return Case(name, arguments, loose=loose)


@draws("zoom")
def zoom(draw, name):
    """Draw factors below and above 1."""
    image, arguments, loose = interpolation(draw)
    arguments["zoom"] = draw.each(image.ndim, lambda: draw.choice(1, 2, 0.5, 1.3, 3.1, 0.8))
    if draw.chance(0.3):
        arguments["grid_mode"] = True
    if min(round(size * factor) for size, factor in
           zip(image.shape, np.broadcast_to(arguments["zoom"], image.ndim))) < 1:  # fmt: skip
        arguments["zoom"] = 1.5
    return Case(name, arguments, loose=loose)


@draws("spline_filter", "spline_filter1d")
def spline_filters(draw, name):
    """Draw prefilters."""
    image = draw.image("biuf", limits=0, empty=0)
    arguments = {"input": image, "order": draw.integer(2, 5),
                 "mode": draw.choice("mirror", "reflect", "grid-wrap", "constant", "nearest")
                 }  # fmt: skip
    if name == "spline_filter1d":
        arguments["axis"] = draw.integer(-1, 0)
    loose = _tolerance(image.array.shape, arguments)
    return Case(name, arguments, loose=loose)


# ---------------------------------------------------------------------------------------
# Measurements


def labelled(draw, image, limits=0.25):
    """Return labels of other chunks, and an index of what is there and is not."""
    dtype = draw.choice("?", "i1", "u1", "i2", "i4", "i8", "u8", "u4")
    labels = draw.values(image.shape, dtype, limits)
    if draw.chance(0.5) and np.dtype(dtype).kind != "b":
        labels = (labels % 4).astype(dtype)
    present = np.unique(labels)
    if not present.size:
        return draw.chunked(labels), draw.choice(None, [1])
    some = draw.random.choice(present, draw.integer(1, 4))
    index = draw.choice(None, some, some, some[0].item(), some.tolist())
    return draw.chunked(labels), index


def exactly(arguments):
    """Return an index for SciPy, where NumPy makes floats of integers on both sides of 2**63."""
    labels, index = arguments.get("labels"), arguments.get("index")
    rounded = isinstance(index, list) and labels.array.dtype == "u8"
    return {"index": np.array(index, "u8")} if rounded else {}


if not hasattr(ndimage, "vectorized_filter"):  # new in SciPy 1.16
    del CALLS["vectorized_filter"]


MOMENTS = ("sum", "sum_labels", "mean", "variance", "standard_deviation", "center_of_mass")
EXTREMES = ("minimum", "maximum", "minimum_position", "maximum_position", "extrema")


@draws(*MOMENTS, *EXTREMES, "median")
def measurements(draw, name):
    """Draw labels and indices; values of which none is twice, where places are asked for."""
    image = draw.image("biuf", wild=0.1 if name in ("minimum", "maximum") else 0)
    array = image.array
    if "position" in name or name == "extrema":
        values = draw.random.permutation(array.size).reshape(array.shape)
        image = Chunked(values.astype(draw.choice("i2", "u8", "f4", "f8")), image.chunks)
        array = image.array
    arguments = {"input": image}
    if draw.chance(0.8):
        labels, index = labelled(draw, array)
        arguments |= {"labels": labels, "index": index}
    oracle = exactly(arguments)
    if name in MOMENTS + ("median",):
        oracle["input"] = array.astype(np.float64)
    labels = arguments.get("labels")
    if labels is not None and labels.array.dtype == bool:
        oracle["labels"] = labels.array.astype(np.uint8)
    loose = 1e-6 if name == "median" and array.dtype.name == "float32" else None
    return Case(name, arguments, "measured", loose, oracle=oracle)


@draws("histogram")
def histogram(draw, name):
    """Draw bins."""
    image = draw.image("iuf", limits=0.1)
    arguments = {"input": image, "min": draw.choice(0, -10.5), "max": draw.choice(1, 100, 7.25),
                 "bins": draw.integer(1, 6)}  # fmt: skip
    if draw.chance(0.7):
        labels, index = labelled(draw, image.array)
        arguments |= {"labels": labels, "index": index}
    return Case(name, arguments, "objects", oracle=exactly(arguments))


@draws("label")
def label(draw, name):
    """Draw symmetric structures."""
    image = draw.image("biuf", wild=0.2)
    structure = None
    if draw.chance(0.5):
        structure = draw.structure([3] * image.array.ndim, symmetric=True)
    arguments = {"input": image, "structure": structure, "output": draw.choice(None, "i8", "i2")}
    return Case(name, arguments, "label")


@draws("labeled_comprehension")
def labeled_comprehension(draw, name):
    """Draw functions of the pixels of a label."""
    image = draw.image("iuf", limits=0, empty=0)
    labels, index = labelled(draw, image.array)
    arguments = {"input": image, "labels": labels, "index": index, "func": functions.total,
                 "out_dtype": "f8", "default": -1}  # fmt: skip
    return Case(name, arguments, oracle=exactly(arguments))


@draws("find_objects")
def find_objects(draw, name):
    """Draw label images."""
    shape = draw.shape()
    labels = draw.random.integers(-1, 6, shape).astype(draw.choice("i1", "i4", "i8"))
    return Case(name, {"input": draw.chunked(labels), "max_label": draw.choice(0, 0, 3, 9)},
                "delayed")  # fmt: skip


@draws("value_indices")
def value_indices(draw, name):
    """Draw integers."""
    # SciPy crashes where values reach over the whole range of 64 bits, and mistakes swapped bytes.
    image = draw.image("iu", limits=0, swapped=0)
    ignored = draw.choice(None, 0, 1)
    return Case(name, {"arr": image, "ignore_value": ignored}, "delayed")
