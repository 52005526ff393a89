"""Read images from files as one lazy array of frames."""

from dask_image.imread._files import natural_sorted  # noqa: F401 - other packages look for it here
from dask_image.imread._imread import imread
from dask_image.imread._metadata import ImageMetadata, read_metadata  # noqa: F401 - of a result
from dask_image.imread._mosaic import assemble

__all__ = ["assemble", "imread", "read_metadata"]


def __getattr__(name):
    # The exceptions of PIMS are looked for here; importing it takes longer than reading a file.
    if name == "pims":
        import pims

        return pims
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
