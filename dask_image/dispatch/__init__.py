"""
For packages that build on dask-image and choose a function by the type of an image's blocks.

Nothing here is needed by users: every public function chooses by itself.
"""

__all__ = []
