"""
The rows of `compare.py`: a call of `scipy.ndimage`, and what other libraries have for it.

The same call is made of SciPy, of `dask_image.ndimage` and of the public dask-image package, so
a row names the function and its arguments once. Peers are imported when they are called.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

PLANE, VOLUME = (2048, 2048), (128, 256, 256)
CELL = 6  # side of the squares that labels are, so that a plane holds 10⁵ of them


@dataclass(frozen=True)
class Case:
    """
    One row of the table.

    Attributes
    ----------
    title : str
    function : str
        Of `scipy.ndimage`.
    arrays : callable
        Without arguments; returns the arrays to begin with, which our packages get as Dask's.
    keywords : dict
        The other arguments.
    goal : tuple of (float, str)
        What the time is to be at most, and of what: "peer" or "SciPy", or "ns" for nanoseconds.
    peers : dict
        By the name of a library, a function that gets the arrays, and returns what is timed.
    pixels : int, optional
        What times are divided by; by default how many pixels the first array has.
    """

    title: str
    function: str
    arrays: Callable
    keywords: dict = field(default_factory=dict)
    goal: tuple = (1, "SciPy")
    peers: dict = field(default_factory=dict)
    pixels: int | None = None


# -- images ----------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4)
def smooth(shape=PLANE, dtype="f4", sigma=1.5):
    """Return smoothed noise that spreads over the range of its dtype, or over [0, 1)."""
    noise = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    image = ndimage.gaussian_filter(noise, sigma)
    image = (image - image.min()) / (np.ptp(image) * 1.0001)
    top = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    return (image * top).astype(dtype)


@functools.lru_cache(maxsize=2)
def blobs(shape=PLANE, share=0.4):
    """Return smoothed noise, the brightest ``share`` of its pixels True."""
    image = smooth(shape, sigma=2)
    return image > np.quantile(image, 1 - share)


@functools.lru_cache(maxsize=2)
def noise(share, shape=PLANE):
    """Return pixels of which ``share`` are True, each for itself."""
    return np.random.default_rng(0).random(shape, dtype=np.float32) < share


def cells():
    """Return an image, and labels that are squares, as cells of a tissue are."""
    row, column = (np.arange(size) // CELL for size in PLANE)
    labels = row[:, None] * (column[-1] + 1) + column + 1
    return smooth(), labels.astype(np.int32)


def scattered():
    """Return an image, and one of 10⁵ labels for each pixel, at random."""
    return smooth(), np.random.default_rng(0).integers(1, 100_001, PLANE, dtype=np.int32)


def squares(number):
    """Return an image of 1024², and labels in a grid of ``number`` squares."""
    side = round(number**0.5)
    along = np.arange(1024) * side // 1024
    labels = along[:, None] * side + along + 1
    return smooth((1024, 1024)), labels.astype(np.int32)


def field_of_flow():
    """Return an image, and coordinates a few pixels off its grid, as a registration gives them."""
    rows, columns = np.indices(PLANE, dtype=np.float64)
    return smooth(), np.stack(
        [rows + 5 * np.sin(columns / 90) + 0.3, columns + 5 * np.cos(rows / 70) + 0.2]
    )


def points():
    """Return an image, and as many random points of it."""
    return smooth(), np.random.default_rng(0).random((2, *PLANE)) * (PLANE[0] - 1)


def spectrum():
    """Return the Fourier transform of an image."""
    return (np.fft.fft2(smooth()).astype(np.complex64),)


def only(function, *args):
    """Return a function that returns ``(function(*args),)``."""
    return lambda: (function(*args),)


# -- peers -----------------------------------------------------------------------------------


def opencv(make):
    """Return a peer for OpenCV; ``make(cv2, image)`` returns the call of no arguments."""

    def peer(image, *others):
        import cv2

        cv2.setNumThreads(1)
        return make(cv2, image, *others)

    return {"OpenCV": peer}


def gaussian_of_opencv(sigma, radius):
    side = (2 * radius + 1,) * 2
    return opencv(
        lambda cv2, image: lambda: cv2.GaussianBlur(
            image, side, sigma, borderType=cv2.BORDER_REFLECT
        )
    )  # fmt: skip


def window_of_opencv(name, window, **keywords):
    return opencv(lambda cv2, image: lambda: getattr(cv2, name)(image, window, **keywords))


def median_of_opencv(size):
    return opencv(lambda cv2, image: lambda: cv2.medianBlur(image, size))


def _dilate_three_times(cv2, mask):
    cross, pixels = CROSS.astype(np.uint8), mask.view(np.uint8)
    return lambda: cv2.dilate(pixels, cross, iterations=3)


def _chessboard(cv2, mask):
    pixels = mask.view(np.uint8)
    return lambda: cv2.distanceTransform(pixels, cv2.DIST_C, 3)


def _warp(flag):
    matrix = np.hstack([OBLIQUE, [[5.0], [3.0]]])[::-1, [1, 0, 2]]

    def make(cv2, image):
        flags = getattr(cv2, flag) | cv2.WARP_INVERSE_MAP
        return lambda: cv2.warpAffine(image, matrix, PLANE, flags=flags)

    return opencv(make)


def _resize(factor):
    return opencv(lambda cv2, image: lambda: cv2.resize(image, None, fx=factor, fy=factor))


def _remap(cv2, image, coordinates):
    rows, columns = coordinates.astype(np.float32)
    return lambda: cv2.remap(image, columns, rows, cv2.INTER_LINEAR)


def distances_of_edt(mask):
    import edt

    return lambda: edt.edt(mask, parallel=1)


def labels_of_cc3d(mask):
    import cc3d

    connectivity = 4 if mask.ndim == 2 else 6
    return lambda: cc3d.connected_components(mask, connectivity=connectivity)


def labels_of_skimage(mask):
    from skimage.measure import label

    return lambda: label(mask, connectivity=1)


def rank_of_skimage(name, size, **keywords):
    def peer(image):
        from skimage.filters import rank

        narrow = image >> 4  # it wants 12 bits at most
        return lambda: getattr(rank, name)(narrow, np.ones((size, size), np.uint8), **keywords)

    return {"scikit-image": peer}


COMPONENTS = {"cc3d": labels_of_cc3d, "scikit-image": labels_of_skimage}

# -- the rows --------------------------------------------------------------------------------

CROSS = ndimage.generate_binary_structure(2, 1)
DISK = np.hypot(*np.indices((9, 9)) - 4) <= 4.5
WEIGHTS = np.random.default_rng(0).random((5, 5)) / 12.5
OBLIQUE = np.array([[0.95, 0.2], [-0.15, 1.02]])
OBLIQUE_3D = np.array([[0.95, 0.2, 0.1], [-0.15, 1.02, 0.05], [0.1, -0.1, 0.97]])


def _filters():
    for dtype, limit in (("f4", 1.8), ("f8", 0.8), ("u2", 0.9)):
        yield Case(
            f"gaussian, sigma 3, {np.dtype(dtype)}", "gaussian_filter", only(smooth, PLANE, dtype),
            {"sigma": 3}, (limit, "peer"), gaussian_of_opencv(3, 12),
        )  # fmt: skip
    plane, volume = only(smooth), only(smooth, VOLUME)
    yield Case(
        "gaussian, sigma 20, float32", "gaussian_filter", plane, {"sigma": 20}, (0.8, "peer"),
        gaussian_of_opencv(20, 80),
    )  # fmt: skip
    yield Case("gaussian_laplace, sigma 3", "gaussian_laplace", plane, {"sigma": 3}, (11, "ns"))
    yield Case("gaussian 3-D, sigma 1", "gaussian_filter", volume, {"sigma": 1}, (3, "ns"))
    yield Case(
        "sobel", "sobel", plane, {}, (1, "peer"),
        opencv(lambda cv2, image: lambda: cv2.Sobel(image, -1, 1, 0)),
    )  # fmt: skip
    yield Case("laplace", "laplace", plane, {}, (1.5, "ns"))
    yield Case(
        "uniform 9²", "uniform_filter", plane, {"size": 9}, (0.7, "peer"),
        window_of_opencv("blur", (9, 9)),
    )  # fmt: skip
    wide = only(smooth, VOLUME, "u2")
    yield Case("uniform 9³, uint16", "uniform_filter", wide, {"size": 9}, (2, "ns"))
    yield Case(
        "correlate 5 × 5", "correlate", plane, {"weights": WEIGHTS}, (2.3, "peer"),
        opencv(lambda cv2, image: lambda: cv2.filter2D(image, -1, WEIGHTS.astype("f4"))),
    )  # fmt: skip
    cube = np.arange(27.0).reshape(3, 3, 3)
    yield Case("correlate 3 × 3 × 3", "correlate", volume, {"weights": cube}, (3.5, "ns"))


def _ranks():
    for dtype, limit in (("u1", 1.5), ("f4", 1.3)):
        yield Case(
            f"minimum 9², {np.dtype(dtype)}", "minimum_filter", only(smooth, PLANE, dtype),
            {"size": 9}, (limit, "peer"), window_of_opencv("erode", np.ones((9, 9), "u1")),
        )  # fmt: skip
    plane = only(smooth)
    yield Case(
        "grey erosion 7²", "grey_erosion", plane, {"size": 7}, (1.3, "peer"),
        window_of_opencv("erode", np.ones((7, 7), "u1")),
    )  # fmt: skip
    yield Case(
        "maximum, disk of 9", "maximum_filter", plane, {"footprint": DISK}, (1.5, "peer"),
        window_of_opencv("dilate", DISK.astype("u1")),
    )  # fmt: skip
    yield Case(
        "white tophat 15², uint16", "white_tophat", only(smooth, PLANE, "u2"), {"size": 15},
        (1.3, "peer"),
        opencv(lambda cv2, image: lambda: cv2.morphologyEx(
            image, cv2.MORPH_TOPHAT, np.ones((15, 15), "u1")
        )),
    )  # fmt: skip
    for size, dtype, limit in ((3, "u1", 1.5), (5, "f4", 2.2), (9, "u1", 0.7)):
        yield Case(
            f"median {size}², {np.dtype(dtype)}", "median_filter", only(smooth, PLANE, dtype),
            {"size": size}, (limit, "peer"), median_of_opencv(size),
        )  # fmt: skip
    wide = only(smooth, PLANE, "u2")
    yield Case(
        "median 3³, uint16", "median_filter", only(smooth, VOLUME, "u2"), {"size": 3}, (4, "ns")
    )
    yield Case(
        "median 9², uint16", "median_filter", wide, {"size": 9}, (12, "ns"),
        rank_of_skimage("median", 9),
    )  # fmt: skip
    yield Case("median 11²", "median_filter", plane, {"size": 11}, (45, "ns"))
    yield Case(
        "percentile 15², uint16", "percentile_filter", wide, {"percentile": 20, "size": 15},
        (60, "ns"), rank_of_skimage("percentile", 15, p0=0.2),
    )  # fmt: skip


def _binary():
    yield Case(
        "binary dilation ×3, cross", "binary_dilation", only(blobs), {"iterations": 3},
        (1, "peer"), opencv(_dilate_three_times),
    )  # fmt: skip
    yield Case(
        "binary opening ×2, 3-D", "binary_opening", only(blobs, VOLUME), {"iterations": 2},
        (1, "ns"),
    )  # fmt: skip
    yield Case("fill holes", "binary_fill_holes", only(blobs), {}, (2.5, "ns"))
    for shape, limit in ((PLANE, 0.7), (VOLUME, 0.9)):
        yield Case(
            f"distance_transform_edt {len(shape)}-D", "distance_transform_edt",
            only(blobs, shape), {}, (limit, "peer"), {"edt": distances_of_edt},
        )  # fmt: skip
    yield Case(
        "distance_transform_cdt", "distance_transform_cdt", only(blobs), {}, (0.3, "SciPy"),
        opencv(_chessboard),
    )  # fmt: skip


def _labels():
    for shape, limit in ((PLANE, 0.7), (VOLUME, 0.8)):
        yield Case(
            f"label {len(shape)}-D", "label", only(blobs, shape), {}, (limit, "peer"), COMPONENTS
        )
    for share in (0.5, 0.05):
        yield Case(
            f"label, noise of {share:.0%}", "label", only(noise, share), {}, (1, "peer"), COMPONENTS
        )
    index = np.arange(1, 100_001)
    yield Case("mean of 10⁵ cells", "mean", cells, {"index": index}, (3, "ns"))
    yield Case("mean, random labels", "mean", scattered, {"index": index}, (0.3, "SciPy"))
    yield Case("median of 10⁵ cells", "median", cells, {"index": index}, (15, "ns"))
    yield Case("mean of 961 labels, 1024²", "mean", lambda: squares(961), {"index": index[:961]})


def _interpolation():
    moved = {"matrix": OBLIQUE, "offset": (3.0, 5.0)}
    plane, volume = only(smooth), only(smooth, VOLUME)
    for order, limit, flag in ((1, 2.2, "INTER_LINEAR"), (3, 3, "INTER_CUBIC")):
        yield Case(
            f"affine, order {order}", "affine_transform", plane, {**moved, "order": order},
            (limit, "peer"), _warp(flag),
        )  # fmt: skip
    yield Case(
        "zoom ½, order 1", "zoom", plane, {"zoom": 0.5, "order": 1}, (2, "peer"), _resize(0.5)
    )
    yield Case(
        "zoom 2, order 1, uint16", "zoom", only(smooth, PLANE, "u2"), {"zoom": 2, "order": 1},
        (2.5, "peer"), _resize(2),
    )  # fmt: skip
    yield Case(
        "map_coordinates, smooth field", "map_coordinates", field_of_flow, {"order": 1},
        (2.2, "peer"), opencv(_remap),
    )  # fmt: skip
    yield Case("map_coordinates, random", "map_coordinates", points, {"order": 1}, (0.35, "SciPy"))
    yield Case("shift 3-D, order 3", "shift", volume, {"shift": (1.5, 2.5, 3.5)}, (25, "ns"))
    single = {"output": np.float32}
    yield Case("spline_filter", "spline_filter", plane, single, (0.25, "SciPy"))
    yield Case("spline_filter 3-D", "spline_filter", volume, single, (0.3, "SciPy"))
    quarter = tuple(size // 4 for size in VOLUME)
    yield Case(
        "affine 3-D to ¼, order 3", "affine_transform", volume,
        {"matrix": [4.0, 4.0, 4.0], "output_shape": quarter}, (0.4, "SciPy"),
    )  # fmt: skip
    yield Case("zoom 3-D ¼, order 3", "zoom", volume, {"zoom": 0.25}, (0.4, "SciPy"))
    yield Case(
        "affine 3-D oblique, order 1", "affine_transform", volume,
        {"matrix": OBLIQUE_3D, "order": 1}, (12, "ns"),
    )  # fmt: skip
    wide = only(smooth, VOLUME, "u2")
    yield Case("zoom 3-D 2, order 1, uint16", "zoom", wide, {"zoom": 2, "order": 1}, (25, "ns"))
    yield from _four_axes()


def _four_axes():
    shape = (2, 32, 256, 256)
    half = {"matrix": [1.0, 2.0, 2.0, 2.0], "output_shape": (2, 16, 128, 128), "order": 1}
    yield Case(
        "affine 4-D to ½, order 1, uint16", "affine_transform", only(smooth, shape, "u2"), half,
        (0.5, "SciPy"), pixels=2 * 16 * 128 * 128,
    )  # fmt: skip
    turn = np.eye(4)
    turn[1:, 1:] = OBLIQUE_3D
    yield Case(
        "affine 4-D oblique, order 0, uint8", "affine_transform", only(smooth, shape, "u1"),
        {"matrix": turn, "order": 0}, (0.5, "SciPy"),
    )  # fmt: skip


def _fourier():
    yield Case("fourier_gaussian", "fourier_gaussian", spectrum, {"sigma": 3}, (0.5, "SciPy"))
    yield Case("fourier_uniform", "fourier_uniform", spectrum, {"size": 5}, (0.5, "SciPy"))


FAMILIES = (_filters, _ranks, _binary, _labels, _interpolation, _fourier)
CASES = {case.title: case for family in FAMILIES for case in family()}
