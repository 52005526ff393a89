"""
Random calls of every function of `dask_image.ndimage`, with SciPy as the oracle.

``python -m tests.fuzz --cases 50000 --seed 1`` runs as many as are asked for, in child
processes, so that a crash or a hang of one call is told and the rest still runs. Images are small,
loops of kernels run as Python, and what they work on at a time is made small as well; with
``--large`` kernels are compiled and images have up to millions of pixels.
"""
