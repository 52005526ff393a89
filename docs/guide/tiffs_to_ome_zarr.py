"""Segment nuclei in a folder of TIFF files: a table in µm, and OME-Zarr for napari.

Usage: python tiffs_to_ome_zarr.py 'plate/t{t}.ome.tif' nuclei.ome.zarr
"""

import sys

import numpy as np

import dask_image.xarray as xndi
from dask_image import ngff, segmentation


def main(pattern, output):
    image = xndi.imread(pattern)  # dimensions t, y, x; coordinates in µm
    smooth = xndi.gaussian_filter(image, {"y": 0.5, "x": 0.5}, units="coordinates", output="f4")
    mask = smooth > segmentation.threshold_otsu(smooth.data)

    # Each frame by itself: no pixel has a neighbour in another frame, or is near to one.
    neighbours = np.zeros((3, 3, 3), bool)
    neighbours[1] = True
    distance = xndi.distance_transform_edt(mask, sampling={"t": 1e6, "y": 1, "x": 1})
    maxima = xndi.h_maxima(distance, 2, neighbours)  # one in each of touching nuclei
    markers, _ = xndi.label(maxima, neighbours)
    labels = xndi.watershed(-distance, markers, neighbours, mask=mask)

    ngff.write_image(image, output, overwrite=True)
    ngff.write_labels(labels, output, "nuclei")
    labels = xndi.read_ome_zarr(f"{output}/labels/nuclei")  # computed once, read from here on
    properties = ("area", "centroid", "intensity_mean")
    table = xndi.regionprops_table(labels, image, properties, units="coordinates")
    table.to_dataframe().to_csv(f"{output}.csv")
    print(table.sizes["label"], "nuclei of", float(table["area"].mean()), "µm² on average")


if __name__ == "__main__":
    main(*sys.argv[1:])
