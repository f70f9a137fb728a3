"""How the functions of the kernel are compiled, and the constants that keep types narrow."""

import numba
import numpy as np
from numba.extending import intrinsic

# Indices are cast to unsigned: for a signed index Numba adds a test for negative ones, which
# count from the end, and a loop with that test is not vectorized.
U = numba.types.uintp

# A Python literal is a double, and would turn the arithmetic around it into doubles.
ZERO = np.float32(0.0)
HALF = np.float32(0.5)
ONE = np.float32(1.0)
TWO = np.float32(2.0)

OPTIONS = {
    "nogil": True,
    # Python's checks of every division would keep loops from being vectorized.
    "error_model": "numpy",
}

# Numba compiles a function again for every literal argument, but not for these constants.
FIRST = np.int64(0)
UNIT = np.int64(1)
OVERWRITE = np.bool_(False)
ADD = np.bool_(True)
TRAINING = np.bool_(True)


def jit(function):
    """Compile as a separate function: for the small ones with the loops."""
    return numba.njit(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)


def inlined(function):
    """Compile into the machine code of each caller: for what is small or called from one place."""
    return numba.njit(
        function, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True, **OPTIONS
    )


def stage(function):
    """Compile as a part of its only caller: for functions that call large ones."""
    return numba.njit(function, inline="always", **OPTIONS)


@intrinsic
def compactly(typing):
    """Have LLVM compile the calling function without copies of its loops.

    By default it copies each loop, for vectors, for several rounds at once, and for what remains,
    and then has to optimize all of the copies. That takes a fifth of the time of a compilation,
    and helps only loops that take a good part of the time of a training.
    """

    def generate(context, builder, signature, values):
        builder.function.attributes.add("optsize")
        return context.get_dummy_value()

    return numba.types.void(), generate
