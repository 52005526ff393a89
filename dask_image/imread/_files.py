"""Which files a call means, and whether a file still is what it was."""

import glob
import itertools
import os
import re
from dataclasses import dataclass
from string import Formatter


def natural_key(name):
    """Return a sorting key that puts ``frame2`` before ``frame10``."""
    parts = re.split(r"([0-9]+)", name)
    # Text and numbers alternate, so that a number never meets a text. The name itself puts
    # "01" and "1" in a fixed order.
    return [int(part) if part.isdecimal() else part for part in parts], name


def natural_sorted(names):
    """
    Return names as a list in natural order.

    Examples
    --------
    >>> natural_sorted(["frame10", "frame2"])
    ['frame2', 'frame10']
    """
    return sorted(names, key=natural_key)


def expand_names(fname):
    """
    Return the absolute paths of the files that ``fname`` stands for.

    Parameters
    ----------
    fname : str, os.PathLike or iterable of these
        A name that exists stands for itself, otherwise it is a pattern for
        ``glob.glob`` (``**`` included) whose matches come in natural order.
        Several names keep the order they are given in.

    Returns
    -------
    list of str

    Raises
    ------
    FileNotFoundError
        If a name matches no file.
    PermissionError
        If the folder of a file may not be searched.
    ValueError
        If there is no name at all.
    TypeError
        If a name is not a string or a path.
    """
    if isinstance(fname, (str, os.PathLike)):
        return _expand(fname)
    try:
        names = list(fname)
    except TypeError:
        raise TypeError(
            f"fname must be a name, a pattern, a path or a list of these, got {fname!r}"
        ) from None
    if not names:
        raise ValueError("fname must name at least one file, got an empty list")
    return [path for name in names for path in _expand(name)]


def expand_grid(fname):
    """
    Return the files that a name with placeholders stands for, such as ``"r{row}_c{column}.tif"``.

    Parameters
    ----------
    fname : object
        What the user gave as name or names.

    Returns
    -------
    tuple of (dict, list of str), or None
        The numbers there are for each placeholder, in the order in which these first occur,
        and the absolute paths of the files, the last placeholder's number changing fastest.
        None where there are no placeholders.

    Raises
    ------
    FileNotFoundError
        If there is no file, or not one for each combination of the numbers that occur, or
        among numbers that follow one another one is left out.
    ValueError
        If ``*`` or ``?`` stand beside placeholders, or two files have the same numbers.
    """
    if not isinstance(fname, (str, os.PathLike)):
        return None
    pattern = os.fsdecode(fname)
    if not re.search(r"{[^\W\d]\w*}", pattern) or _exists(pattern):
        return None
    parts = [(text, field) for text, field, _, _ in Formatter().parse(pattern)]
    if any(sign in text for text, _ in parts for sign in "*?"):
        raise ValueError(f"placeholders and the signs * and ? do not go together, got {pattern!r}")
    fields = list(dict.fromkeys(field for _, field in parts if field is not None))
    found, widths = _files_by_numbers(parts, fields)
    if not found:
        raise FileNotFoundError(f"no file matches {pattern!r}, a number for each placeholder")
    values = [_counted({numbers[axis] for numbers in found}) for axis in range(len(fields))]
    missing = [numbers for numbers in itertools.product(*values) if numbers not in found]
    if missing:
        numbers = ", ".join(f"{field}={number}" for field, number in zip(fields, missing[0]))
        texts = {
            field: str(number).zfill(widths[field]) for field, number in zip(fields, missing[0])
        }
        name = "".join(text + texts.get(field, "") for text, field in parts)
        raise FileNotFoundError(
            f"of {pattern!r} there are files for {' × '.join(str(len(v)) for v in values)} numbers "
            f"but {len(missing)} of them missing; the first is that for {numbers}, "
            f"{name!r}"
        )
    return dict(zip(fields, values)), [found[numbers] for numbers in itertools.product(*values)]


def _counted(numbers):
    """
    Return the numbers that there must be, in order.

    Numbers of which more than half follow one another count something, and none may be left out;
    others are wavelengths, heights or dates.
    """
    ordered = sorted(numbers)
    span = ordered[-1] - ordered[0] + 1
    follow = any(after == before + 1 for before, after in itertools.pairwise(ordered))
    return (
        list(range(ordered[0], ordered[-1] + 1)) if follow and span < 2 * len(ordered) else ordered
    )


def _files_by_numbers(parts, fields):
    """Return the files of a pattern by the numbers in their names, and how wide these are."""
    seen = set()
    expression = wildcard = ""
    for text, field in parts:
        expression += re.escape(text)
        wildcard += glob.escape(text)
        if field is not None:
            # The second time, a placeholder stands for the same text.
            expression += f"(?P={field})" if field in seen else f"(?P<{field}>[0-9]+)"
            wildcard += "*"
            seen.add(field)
    found, widths = {}, {}
    for name in natural_sorted(glob.glob(wildcard)):
        match = re.fullmatch(expression, name)
        if match is None or os.path.isdir(name):
            continue
        numbers = tuple(int(match[field]) for field in fields)
        if numbers in found:
            raise ValueError(f"{found[numbers]} and {name} have the same numbers")
        found[numbers] = os.path.abspath(name)
        for field in fields:
            widths[field] = min(len(match[field]), widths.get(field, len(match[field])))
    return found, widths


def _expand(name):
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"fname must hold names or paths, got {name!r}")
    name = os.fsdecode(name)
    if os.path.isdir(name):
        raise IsADirectoryError(
            f"fname names a directory, {name!r}; a pattern such as "
            f"{os.path.join(name, '*.tif')!r} reads the files in it"
        )
    if _exists(name):
        return [os.path.abspath(name)]
    matches = [match for match in glob.glob(name, recursive=True) if not os.path.isdir(match)]
    if not matches:
        raise FileNotFoundError(f"no file matches {name!r}")
    return [os.path.abspath(match) for match in natural_sorted(matches)]


def _exists(name):
    """Tell whether there is a file; that nobody may know is another answer, and an error."""
    try:
        os.stat(name)
    except PermissionError:
        raise
    except (OSError, ValueError):  # where patterns are no names
        return False
    return True


@dataclass(frozen=True)
class FileState:
    """A file, its size and its time of change, as they were when its header was read."""

    path: str
    size: int
    modified: int

    @classmethod
    def of(cls, path):
        """Return the state of the file at ``path`` now."""
        status = os.stat(path)
        return cls(path, status.st_size, status.st_mtime_ns)

    @classmethod
    def of_open(cls, file):
        """Return the state of an open file."""
        status = os.fstat(file.fileno())
        return cls(file.name, status.st_size, status.st_mtime_ns)

    def check(self, file):
        """
        Fail if the file, now open as ``file``, has changed since.

        What a task reads relies on the header read earlier: in a file written
        anew the same bytes may mean something else.

        Raises
        ------
        OSError
            If its size or its time of change differ.
        """
        now = FileState.of_open(file)
        if now != self:
            raise OSError(
                f"{self.path} has changed since imread described it: {self.size} bytes then, "
                f"{now.size} bytes now; call imread again"
            )
