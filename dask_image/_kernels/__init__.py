"""Faster kernels: each stands in for one SciPy function, with its signature and its result."""
