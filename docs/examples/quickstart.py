"""
Begin: from an array to a table, in a notebook.

What a notebook shows at each step. The page has the notebook to download at its end.
"""

# %%
# An image that is larger than one would load, in chunks. As the last line of a cell, an array
# shows its shape, its chunks and how many tasks make it; no pixel was made yet.
import dask
import dask.array as da
from dask.diagnostics import ProgressBar

import dask_image.ndimage as ndi
from dask_image.ndmeasure import regionprops_table

image = da.random.default_rng(0).random((2000, 2000), chunks=500)
image

# %%
# Functions have SciPy's names and arguments, and return at once. Only the import is another.
smooth = ndi.gaussian_filter(image, sigma=8)
labels, count = ndi.label(smooth > 0.515)
labels

# %%
# How many objects there are is lazy, too:
count

# %%
# All is computed in one call, so that what is common is computed once. A progress bar shows how
# far it is.
table = regionprops_table(labels, smooth, ("label", "area", "centroid", "intensity_max"))
with ProgressBar(dt=0.5):
    count, table = dask.compute(count, table)

print(count, "objects; the largest has", table["area"].max(), "pixels")

# %%
# A corner of the result reads and computes no more than this corner needs:
import matplotlib.pyplot as plt

corner = smooth[:400, :800].compute()
figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
axis.imshow(corner, cmap="gray")
axis.contour(corner > 0.515, [0.5], colors="orange", linewidths=1)
axis.set(xticks=[], yticks=[], title="objects in a corner of the image")
plt.show()

# %%
# With a cluster, of this computer here, everything stays as it is: what is computed after
# ``Client`` runs on its workers. ``client.dashboard_link`` opens the dashboard; a picture of what
# it shows is in the example of the cluster.
#
# .. code-block:: python
#
#     from dask.distributed import Client, LocalCluster
#
#     client = Client(LocalCluster(n_workers=4, threads_per_worker=2))
#     client.dashboard_link
