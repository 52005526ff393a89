"""
Compiled and vectorised code.

`stand_ins` holds kernels that each take the place of one SciPy function, with its
signature and its result; `blocks` what engines run inside a block. Neither is imported
before a function needs it.
"""
