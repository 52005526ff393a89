from dask_image import dispatch as dispatch
from dask_image import imread as imread
from dask_image import local_statistics as local_statistics
from dask_image import ndfilters as ndfilters
from dask_image import ndfourier as ndfourier
from dask_image import ndimage as ndimage
from dask_image import ndinterp as ndinterp
from dask_image import ndmeasure as ndmeasure
from dask_image import ndmorph as ndmorph
from dask_image import ngff as ngff
from dask_image import segmentation as segmentation
from dask_image import storage as storage
from dask_image import xarray as xarray
from dask_image.storage import store as store
from dask_image.storage import to_zarr as to_zarr

__version__: str
