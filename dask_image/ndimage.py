"""
`scipy.ndimage` on Dask arrays, under SciPy's names and signatures.

``import dask_image.ndimage as ndi`` in place of ``import scipy.ndimage as ndi``
is the whole port. Nothing is computed here: every function hands its arguments
on to the package of its family, whose pages describe what it does.
"""

import inspect

import numpy as np

from dask_image import ndfilters, ndfourier, ndinterp, ndmeasure, ndmorph
from dask_image._utils.arguments import Binder
from dask_image.ndmeasure import _objects

__all__ = [
    "affine_transform",
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_fill_holes",
    "binary_hit_or_miss",
    "binary_opening",
    "binary_propagation",
    "black_tophat",
    "center_of_mass",
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "distance_transform_bf",
    "distance_transform_cdt",
    "distance_transform_edt",
    "extrema",
    "find_objects",
    "fourier_ellipsoid",
    "fourier_gaussian",
    "fourier_shift",
    "fourier_uniform",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generate_binary_structure",
    "generic_filter",
    "generic_filter1d",
    "generic_gradient_magnitude",
    "generic_laplace",
    "geometric_transform",
    "grey_closing",
    "grey_dilation",
    "grey_erosion",
    "grey_opening",
    "histogram",
    "iterate_structure",
    "label",
    "labeled_comprehension",
    "laplace",
    "map_coordinates",
    "maximum",
    "maximum_filter",
    "maximum_filter1d",
    "maximum_position",
    "mean",
    "median",
    "median_filter",
    "minimum",
    "minimum_filter",
    "minimum_filter1d",
    "minimum_position",
    "morphological_gradient",
    "morphological_laplace",
    "percentile_filter",
    "prewitt",
    "rank_filter",
    "rotate",
    "shift",
    "sobel",
    "spline_filter",
    "spline_filter1d",
    "standard_deviation",
    "sum",
    "sum_labels",
    "uniform_filter",
    "uniform_filter1d",
    "value_indices",
    "variance",
    "vectorized_filter",
    "watershed_ift",
    "white_tophat",
    "zoom",
]

# Names of SciPy that have another one in the families; "input" is always their first argument.
RENAMED = {"labels": "label_image"}
# Arrays that SciPy fills in place, which nothing can do to a lazy array.
FILLED_IN_PLACE = ("distances", "indices")


def _port(function, parameters, name=None, **defaults):
    """
    Return ``function`` under SciPy's parameters.

    Parameters
    ----------
    function : callable
        Of a family.
    parameters : str
        SciPy's parameter names in SciPy's order; what follows ``*`` is keyword-only.
    name : str, optional
        SciPy's name, where it is not that of ``function``.
    **defaults
        Defaults of SciPy that differ from those of ``function``.
    """
    ours = inspect.signature(function).parameters
    first = next(iter(ours))
    name_of = {}
    scipy_parameters = []
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for parameter in parameters.split():
        if parameter == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
            continue
        if parameter == "**kwargs":
            scipy_parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD))
            continue
        default = None
        if parameter not in FILLED_IN_PLACE:
            renamed = first if parameter in ("input", "arr") else RENAMED.get(parameter, parameter)
            name_of[parameter] = renamed
            default = defaults.get(parameter, ours[renamed].default)
        scipy_parameters.append(inspect.Parameter(parameter, kind, default=default))
    signature = inspect.Signature(scipy_parameters)
    binder = Binder(signature)

    def ported(*args, **kwargs):
        try:
            arguments = binder.bind(args, kwargs)
        except TypeError as error:
            unknown = [key for key in kwargs if key not in signature.parameters]
            text = _unknown(unknown[0], ported, function) if unknown else str(error)
            raise TypeError(f"{ported.__name__}: {text}") from None
        more = arguments.pop("kwargs", {})
        for key in more:
            if key not in ours:
                raise TypeError(f"{ported.__name__}: {_unknown(key, ported, function)}")
        for array in FILLED_IN_PLACE:
            if arguments.pop(array, None) is not None:
                raise TypeError(f"{array} must be None: Dask arrays are not filled in place")
        return function(**{name_of[key]: value for key, value in arguments.items()}, **more)

    ported.__signature__ = signature
    ported.__name__ = ported.__qualname__ = name or function.__name__
    ported.__module__ = __name__
    ported.__doc__ = _documentation(ported.__name__, function)
    return ported


def _unknown(key, ported, function):
    """Say that there is no such argument, and where there is one."""
    names = [name for name in ported.__signature__.parameters if name != "kwargs"]
    text = f"there is no argument {key!r}, only {', '.join(names)}"
    if key == "out":
        return text + ". Arrays are not filled in place: output takes a dtype"
    if key in inspect.signature(function).parameters:
        return text + f". {_family(function)}.{function.__name__} takes it: call that instead"
    return text


def _family(function):
    return function.__module__.rpartition("._")[0] or function.__module__


def _documentation(name, function):
    family = _family(function)
    return f"""
    `scipy.ndimage.{name}` on Dask arrays, with the same arguments.

    Arrays may be anything that `{family}.{function.__name__}` takes, which does the
    work and describes it. ``output`` may be a dtype, not an array. Keyword-only
    arguments that SciPy lacks are described there too.

    Returns
    -------
    dask.array.Array
        Lazy; see `{family}.{function.__name__}`.

    See Also
    --------
    {family}.{function.__name__} : What is done, and what may be raised.
    scipy.ndimage.{name} : The original.
    """


_FILTER = "output mode cval origin"
_WINDOW = f"size footprint {_FILTER}"
_COUNTED = "axes where nan_policy fill_value"
_STRUCTURED = f"size footprint structure {_FILTER} * axes"
_TRANSFORM = "return_distances return_indices distances indices"

affine_transform = _port(
    ndinterp.affine_transform,
    "input matrix offset output_shape output order mode cval prefilter * output_chunks",
    order=3,
)
binary_closing = _port(
    ndmorph.binary_closing,
    "input structure iterations output origin mask border_value brute_force * axes",
)
binary_dilation = _port(
    ndmorph.binary_dilation,
    "input structure iterations mask output border_value origin brute_force * axes",
)
binary_erosion = _port(
    ndmorph.binary_erosion,
    "input structure iterations mask output border_value origin brute_force * axes",
)
binary_fill_holes = _port(ndmorph.binary_fill_holes, "input structure output origin * axes")
binary_hit_or_miss = _port(
    ndmorph.binary_hit_or_miss, "input structure1 structure2 output origin1 origin2 * axes"
)
binary_opening = _port(
    ndmorph.binary_opening,
    "input structure iterations output origin mask border_value brute_force * axes",
)
binary_propagation = _port(
    ndmorph.binary_propagation, "input structure mask output border_value origin * axes"
)
black_tophat = _port(ndmorph.black_tophat, f"input {_STRUCTURED}")
center_of_mass = _port(ndmeasure.center_of_mass, "input labels index")
convolve = _port(ndfilters.convolve, f"input weights {_FILTER} * {_COUNTED}")
convolve1d = _port(ndfilters.convolve1d, f"input weights axis {_FILTER}")
correlate = _port(ndfilters.correlate, f"input weights {_FILTER} * {_COUNTED}")
correlate1d = _port(ndfilters.correlate1d, f"input weights axis {_FILTER}")
distance_transform_bf = _port(ndmorph.distance_transform_bf, f"input metric sampling {_TRANSFORM}")
distance_transform_cdt = _port(ndmorph.distance_transform_cdt, f"input metric {_TRANSFORM}")
distance_transform_edt = _port(ndmorph.distance_transform_edt, f"input sampling {_TRANSFORM}")
extrema = _port(ndmeasure.extrema, "input labels index * nan_policy")
find_objects = _port(_objects.find_objects_list, "input max_label", name="find_objects")
fourier_ellipsoid = _port(ndfourier.fourier_ellipsoid, "input size n axis output")
fourier_gaussian = _port(ndfourier.fourier_gaussian, "input sigma n axis output")
fourier_shift = _port(ndfourier.fourier_shift, "input shift n axis output")
fourier_uniform = _port(ndfourier.fourier_uniform, "input size n axis output")
gaussian_filter = _port(
    ndfilters.gaussian_filter,
    f"input sigma order output mode cval truncate * radius {_COUNTED}",
)
gaussian_filter1d = _port(
    ndfilters.gaussian_filter1d, "input sigma axis order output mode cval truncate * radius"
)
gaussian_gradient_magnitude = _port(
    ndfilters.gaussian_gradient_magnitude, "input sigma output mode cval * axes **kwargs"
)
gaussian_laplace = _port(ndfilters.gaussian_laplace, "input sigma output mode cval * axes **kwargs")
generate_binary_structure = ndmorph.generate_binary_structure
generic_filter = _port(
    ndfilters.generic_filter, f"input function {_WINDOW} extra_arguments extra_keywords * axes"
)
generic_filter1d = _port(
    ndfilters.generic_filter1d,
    f"input function filter_size axis {_FILTER} extra_arguments extra_keywords",
)
generic_gradient_magnitude = _port(
    ndfilters.generic_gradient_magnitude,
    "input derivative output mode cval extra_arguments extra_keywords * axes",
)
generic_laplace = _port(
    ndfilters.generic_laplace,
    "input derivative2 output mode cval extra_arguments extra_keywords * axes",
)
geometric_transform = _port(
    ndinterp.geometric_transform,
    "input mapping output_shape output order mode cval prefilter extra_arguments extra_keywords "
    "* output_chunks reach",
)
grey_closing = _port(ndmorph.grey_closing, f"input {_STRUCTURED}")
grey_dilation = _port(ndmorph.grey_dilation, f"input {_STRUCTURED}")
grey_erosion = _port(ndmorph.grey_erosion, f"input {_STRUCTURED}")
grey_opening = _port(ndmorph.grey_opening, f"input {_STRUCTURED}")
histogram = _port(ndmeasure.histogram, "input min max bins labels index")
iterate_structure = ndmorph.iterate_structure
label = _port(ndmeasure.label, "input structure output")
labeled_comprehension = _port(
    ndmeasure.labeled_comprehension, "input labels index func out_dtype default pass_positions"
)
laplace = _port(ndfilters.laplace, "input output mode cval * axes")
map_coordinates = _port(
    ndinterp.map_coordinates,
    "input coordinates output order mode cval prefilter * output_chunks reach",
)
maximum = _port(ndmeasure.maximum, "input labels index * nan_policy")
maximum_filter = _port(ndfilters.maximum_filter, f"input {_WINDOW} * {_COUNTED}")
maximum_filter1d = _port(ndfilters.maximum_filter1d, f"input size axis {_FILTER}")
maximum_position = _port(ndmeasure.maximum_position, "input labels index * nan_policy")
mean = _port(ndmeasure.mean, "input labels index * nan_policy")
median = _port(ndmeasure.median, "input labels index * nan_policy")
median_filter = _port(ndfilters.median_filter, f"input {_WINDOW} * {_COUNTED}")
minimum = _port(ndmeasure.minimum, "input labels index * nan_policy")
minimum_filter = _port(ndfilters.minimum_filter, f"input {_WINDOW} * {_COUNTED}")
minimum_filter1d = _port(ndfilters.minimum_filter1d, f"input size axis {_FILTER}")
minimum_position = _port(ndmeasure.minimum_position, "input labels index * nan_policy")
morphological_gradient = _port(ndmorph.morphological_gradient, f"input {_STRUCTURED}")
morphological_laplace = _port(ndmorph.morphological_laplace, f"input {_STRUCTURED}")
percentile_filter = _port(ndfilters.percentile_filter, f"input percentile {_WINDOW} * {_COUNTED}")
prewitt = _port(ndfilters.prewitt, "input axis output mode cval")
rank_filter = _port(ndfilters.rank_filter, f"input rank {_WINDOW} * {_COUNTED}")
rotate = _port(
    ndinterp.rotate,
    "input angle axes reshape output order mode cval prefilter * output_chunks",
    order=3,
)
shift = _port(ndinterp.shift, "input shift output order mode cval prefilter * output_chunks")
sobel = _port(ndfilters.sobel, "input axis output mode cval")
spline_filter = _port(
    ndinterp.spline_filter,
    "input order output mode * output_chunks",
    output=np.float64,
    mode="mirror",
)
spline_filter1d = _port(
    ndinterp.spline_filter1d,
    "input order axis output mode * output_chunks",
    output=np.float64,
    mode="mirror",
)
standard_deviation = _port(ndmeasure.standard_deviation, "input labels index * nan_policy")
sum = _port(ndmeasure.sum_labels, "input labels index", name="sum")
sum_labels = _port(ndmeasure.sum_labels, "input labels index * nan_policy")
uniform_filter = _port(ndfilters.uniform_filter, f"input size {_FILTER} * {_COUNTED}")
uniform_filter1d = _port(ndfilters.uniform_filter1d, f"input size axis {_FILTER}")
value_indices = _port(ndmeasure.value_indices, "arr * ignore_value")
variance = _port(ndmeasure.variance, "input labels index * nan_policy")
vectorized_filter = _port(
    ndfilters.vectorized_filter,
    "input function * size footprint output mode cval origin axes batch_memory",
)
watershed_ift = _port(ndmorph.watershed_ift, "input markers structure output")
white_tophat = _port(ndmorph.white_tophat, f"input {_STRUCTURED}")
zoom = _port(ndinterp.zoom, "input zoom output order mode cval prefilter * grid_mode output_chunks")
