"""How the functions of the kernel are compiled, and the constants that keep types narrow."""

import numba
import numpy as np

# Indices are cast to unsigned: for a signed one Numba adds the test for "counts from the end",
# and a loop with that test is not vectorized.
U = numba.types.uintp

# A Python literal is a double, and would make doubles of the arithmetic around it.
ZERO = np.float32(0.0)
HALF = np.float32(0.5)
ONE = np.float32(1.0)
TWO = np.float32(2.0)

OPTIONS = {
    "nogil": True,
    # Python's checks of every division would keep loops from being vectorized.
    "error_model": "numpy",
    # Sums may be reordered and multiply-adds fused; NaN and infinity keep their meaning.
    "fastmath": {"reassoc", "contract", "nsz"},
}

# Numba compiles a function anew for every literal that it is called with; not for these.
FIRST = np.int64(0)
UNIT = np.int64(1)
OVERWRITE = np.bool_(False)
ADD = np.bool_(True)
TRAINING = np.bool_(True)


def jit(function):
    """Compile as a function of its own: the small ones with the loops."""
    return numba.njit(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)


def stage(function):
    """Compile as a part of its one caller, which takes less time than compiling both.

    It also leaves a single copy of the machine code. Of a function of its own there are two
    after a compilation, its own and the one inside the entry's code, and after loading the
    entry's code from the cache only the latter. LLVM is free to round these two differently.
    """
    return numba.njit(function, inline="always", **OPTIONS)
