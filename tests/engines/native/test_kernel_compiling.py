"""How a function is compiled changes its code, and nothing that it computes."""

import numba
import numpy as np

from skl_lstm.engines.native.kernels.compiling import OPTIONS, U, compactly


@numba.njit(**OPTIONS)
def double(x, out):
    for j in range(x.size):
        out[U(j)] = x[U(j)] * 2


@numba.njit(**OPTIONS)
def double_compactly(x, out):
    compactly()
    for j in range(x.size):
        out[U(j)] = x[U(j)] * 2


def code(function):
    (text,) = function.inspect_llvm().values()
    return text


def test_a_compact_function_computes_the_same_with_less_code():
    x = np.random.default_rng(0).normal(size=37).astype(np.float32)
    plain, compact = np.zeros_like(x), np.zeros_like(x)
    double(x, plain)
    double_compactly(x, compact)
    np.testing.assert_array_equal(plain, 2 * x)
    np.testing.assert_array_equal(compact, plain)
    assert len(code(double_compactly)) < 0.7 * len(code(double))
