"""Warn where the user can see it: at the line that called into the package."""

from __future__ import annotations

import sys
import warnings

PACKAGE = __name__.partition(".")[0]


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """
    Warn, and blame the first frame that is not of this package.

    Python's filters show a DeprecationWarning, and once only any other, by the line
    that a warning is blamed on: it must be the user's, through however many of our
    functions the call went.

    Parameters
    ----------
    message : str
    category : type, optional
        Subclass of Warning.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_ours(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] == PACKAGE
