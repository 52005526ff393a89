"""Read images from files as one lazy array of frames."""

from dask_image.imread._imread import imread

__all__ = ["imread"]
