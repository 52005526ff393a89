"""
Numba, if it is installed (extra ``fast``) and wanted: kernels compile with it, or stay unused.

Importing this module, or one that defines kernels, does not import numba, which takes longer than
all of ``dask.array``: the first kernel that is called does, or the question whether there are any.
"""

import contextlib
import functools
import gc
import importlib.util
import logging
import os
import pathlib
import threading
from typing import Any, ClassVar

from dask_image._utils import options

logger = logging.getLogger("dask_image")

_of_this_thread = threading.local()


@functools.cache
def _numba():
    """Return numba, or None where it is missing or does not work."""
    try:
        with garbage_kept():
            import numba
    except ModuleNotFoundError:
        return None
    except ImportError as error:  # as it is installed, but not for this version of NumPy
        logger.warning("compiled kernels are not used, since numba cannot be imported: %s", error)
        return None
    return numba


@functools.cache
def _installed():
    return importlib.util.find_spec("numba") is not None


def might_use_numba():
    """Tell whether `use_numba` may say yes, as far as is known without importing numba."""
    if runs_plainly():
        return False
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return False
    return options.kernels() != "scipy" and _installed()


def use_numba():
    """
    Tell whether compiled kernels are to be used.

    They are not where numba is missing, where ``NUMBA_DISABLE_JIT`` turns it off (kernels
    would run as interpreted loops, hundreds of times slower), where the configuration
    ``dask-image.kernels`` says ``"scipy"``, and in threads that run `plainly`.
    """
    # The second can be said in numba's own file of settings as well.
    return might_use_numba() and _numba() is not None and not _numba().config.DISABLE_JIT


def runs_plainly():
    """Tell whether this thread does without compiled kernels while another one compiles them."""
    return getattr(_of_this_thread, "plain", False)


@contextlib.contextmanager
def plainly():
    """Let this thread do without compiled kernels for a while."""
    before = runs_plainly()
    _of_this_thread.plain = True
    try:
        yield
    finally:
        _of_this_thread.plain = before


class _Keeping:
    """How many calls keep the garbage, and whether it was collected before the first."""

    lock = threading.Lock()
    calls = 0
    enabled = False


@contextlib.contextmanager
def garbage_kept():
    """
    Let Python look for no garbage in cycles for the seconds that compiling takes.

    A compiler makes many objects that stay, and each search goes through all there are: it takes
    a sixth of the time to compile, and a third of that to import numba.
    """
    with _Keeping.lock:
        _Keeping.calls += 1
        if _Keeping.calls == 1:
            _Keeping.enabled = gc.isenabled()
            gc.disable()
    try:
        yield
    finally:
        with _Keeping.lock:
            _Keeping.calls -= 1
            if _Keeping.calls == 0 and _Keeping.enabled:
                gc.enable()


class Deferred:
    """
    A function that numba is given when it is first called.

    Parameters
    ----------
    function : callable
    make : callable
        Returns what numba makes of the function.
    """

    _lock = threading.RLock()
    _all_made: ClassVar[list[Any]] = []

    def __init__(self, function, make):
        functools.update_wrapper(self, function)
        self._make = make
        self._made = None
        self._called = False

    def __call__(self, *arguments):
        """Call what numba makes of the function, which the first call compiles or loads."""
        try:
            if self._called:
                return self._made(*arguments)
            with garbage_kept():
                made = self.made()
                self._called = True
                return made(*arguments)
        except (AttributeError, ModuleNotFoundError) as error:
            # Numba reads an index that another version of this package has left before it sees
            # that it is old, and stumbles over the types of arguments that are no longer there.
            if not str(error).startswith(("Can't get attribute", "No module named 'dask_image.")):
                raise
            logger.debug("compiled kernels of another version are compiled anew: %s", error)
            self._forget_caches()
            return self._made(*arguments)

    @classmethod
    def _forget_caches(cls):
        """Let everything that was not loaded yet be compiled anew."""
        with cls._lock:
            folders = {made.stats.cache_path for made in cls._all_made if hasattr(made, "stats")}
        for folder in filter(None, folders):
            for index in pathlib.Path(folder).glob("*.nbi"):
                index.unlink(missing_ok=True)

    def made(self):
        """
        Return what numba makes of the function.

        What else waits in its module for numba, which does not know this class, is replaced there
        by what is made of it.
        """
        with self._lock:
            if self._made is None:
                made = {self: self._make(self.__wrapped__)}
                modules = _make_all(self.__wrapped__.__globals__, made)
                for each, function in made.items():
                    each._made = function
                self._all_made += made.values()
                # Threads call what they find there, and do not ask for the lock: they must find
                # all of a module, and what it is made of before.
                for names in modules:
                    names.update({name: each._made for name, each in _deferred(names)})
            return self._made


def _deferred(names):
    """Return the names of a module that wait for numba, and what they stand for."""
    return [(name, each) for name, each in list(names.items()) if isinstance(each, Deferred)]


def _make_all(names, made):
    """
    Make what waits in a module, and in the modules from which that comes.

    Return these modules, each behind those that it takes from.
    """
    modules = []
    for _, each in _deferred(names):
        if each not in made:
            made[each] = each._made or each._make(each.__wrapped__)
            theirs = each.__wrapped__.__globals__
            if theirs is not names:
                modules += _make_all(theirs, made)
    return [*modules, names]


# Without what the interpreter needs to call a compiled function.
PART = {"no_cpython_wrapper": True}


def jit(function):
    """
    Compile ``function`` to release the GIL and be cached on disk, where numba is installed.

    It is given all arrays that it needs, and makes none: so numba need not count who refers to one.
    """
    return _compile(function, {})


def jit_allocating(function):
    """As `jit`, for what makes arrays: it takes a tenth more time to compile."""
    return _compile(function, {"_nrt": True})


def jit_part(function):
    """
    As `jit`, for what compiled functions alone call: it takes a fourth less time to compile.

    Nothing is made of it that the interpreter could call, who would crash.
    """
    return _compile(function, PART)


def jit_contract_part(function):
    """As `jit_part`; a product and a sum may be fused into one step (and nothing else)."""
    return _compile(function, {"fastmath": {"contract"}, **PART})


def jit_inline(function):
    """
    As `jit`, for what is called at one place: it becomes a part of the function that calls it.

    So numba has one function less to compile. Unlike in `jit_part`, all of its branches must be
    valid for the arguments of that call, even one that is never taken because an argument is None.
    """
    return _compile(function, {"inline": "always"})


def _compile(function, options):
    return Deferred(function, functools.partial(_njit, options))


def _njit(options, function):
    numba = _numba()
    if numba is None:
        return function
    # Nobody calls them from C.
    options = {"nogil": True, "no_cfunc_wrapper": True, "_nrt": False, **options}
    if not _may_leave_references_uncounted():
        del options["_nrt"]
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError as error:  # a read-only installation, and no home to write to
        logger.debug("%s is compiled without a cache on disk: %s", function.__name__, error)
        return numba.njit(**options)(function)


@functools.lru_cache(maxsize=1)
def _may_leave_references_uncounted():
    """Tell whether numba has the option, which it does not promise to keep."""
    try:
        from numba.core.options import DefaultOptions
    except ImportError:
        return False
    return hasattr(DefaultOptions, "_nrt")


def intrinsic(plain):
    """
    Make what compiled functions call of a function that says what is emitted for the call.

    That is a function as numba's decorator of this name takes; without numba ``plain`` is called.
    """

    def make(function):
        numba = _numba()
        if numba is None or numba.config.DISABLE_JIT:
            return plain
        from numba.extending import intrinsic

        return intrinsic(function)

    return lambda function: Deferred(function, make)


@intrinsic(lambda: None)
def wide_vectors(typing_context):
    """
    Let the compiled function that calls this be made of the widest vectors that there are.

    LLVM holds back from 512 bits, since the first processors that had them slowed down for them.
    Where vectors are compared and moved rather than multiplied, they are worth it: a median of
    5 × 5 takes a fifth less time. What is called compiles to nothing, and says so of its caller.
    """
    from numba.core import types

    def generate(context, builder, signature, arguments):
        attributes = builder.function.attributes
        if isinstance(attributes, set):  # which knows LLVM's own only, not those of a target
            set.add(attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic(lambda array, place: None)
def prefetch(typing_context, array, place):
    """
    Ask for what lies at a place of a contiguous vector, without waiting for it.

    Pixels that a processor cannot guess it will read, as those along an oblique line, come from
    memory one after another when they are read, and many at once when they are asked for.
    """
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, value=arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        to_read, into_all_caches, data_not_code = number(0), number(3), number(1)
        builder.call(function, [address, to_read, into_all_caches, data_not_code])
        return context.get_dummy_value()

    return types.void(array, place), generate


def _copy_two(source, place, target, at):
    target[at], target[at + 1] = source[place], source[place + 1]


@intrinsic(_copy_two)
def copy_two(typing_context, source, place, target, at):
    """Copy two neighbours from one contiguous vector to another of its dtype, as one word."""
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        def address(vector, index):
            kind = signature.args[vector]
            data = context.make_array(kind)(context, builder, value=arguments[vector]).data
            return builder.gep(data, [arguments[index]])

        first = address(0, 1)
        item = context.get_data_type(signature.args[0].dtype)
        pair = ir.VectorType(item, 2).as_pointer()
        size = context.get_abi_sizeof(item)
        word = builder.load(builder.bitcast(first, pair), align=size)
        builder.store(word, builder.bitcast(address(2, 3), pair), align=size)
        return context.get_dummy_value()

    return types.void(source, place, target, at), generate
