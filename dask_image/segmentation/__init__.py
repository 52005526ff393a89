"""Split images into regions: the functions of scikit-image, exact over any chunks."""

from dask_image.segmentation._watershed import watershed

__all__ = ["watershed"]
