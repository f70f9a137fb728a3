"""A vector is eight numbers, each of which is computed as it would be alone."""

import numba
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skl_lstm.engines.native.kernels.compiling import OPTIONS
from skl_lstm.engines.native.kernels.tables import VECTOR
from skl_lstm.engines.native.kernels.vectors import (
    at_least,
    at_most,
    load,
    magnitude,
    multiply_add,
    square_root,
    store,
)


@numba.njit(**OPTIONS)
def calculate(x, y, out):
    a, b = load(x, 1), load(y, 0)
    number = x[0]
    results = (a + b, a - b, a * b, a / b, number - a, a * number)
    for i in range(6):
        store(out, i * 8, results[i])


@numba.njit(**OPTIONS)
def fuse(x, y, out):
    a, b = load(x, 0), load(y, 0)
    number = y[0]
    store(out, 0, multiply_add(a, b, a))
    store(out, 8, multiply_add(number, b, a))
    store(out, 16, multiply_add(a, b, number))
    for j in range(8):
        out[24 + j] = multiply_add(x[j], y[j], x[j])


@numba.njit(**OPTIONS)
def bound(x, out):
    limit = np.float32(0.5)
    store(out, 0, at_least(at_most(load(x, 0), limit), -limit))


@numba.njit(**OPTIONS)
def measure(x, out):
    store(out, 0, magnitude(load(x, 0)))
    store(out, 8, square_root(load(x, 0)))


@pytest.fixture(params=[np.float32, np.float64])
def dtype(request):
    return request.param


@pytest.fixture
def numbers(dtype):
    rng = np.random.default_rng(0)
    return rng.normal(size=VECTOR + 1).astype(dtype), rng.normal(size=VECTOR).astype(dtype)


def test_operators_are_those_of_numpy(numbers, dtype):
    x, y = numbers
    out = np.zeros(6 * VECTOR, dtype)
    calculate(x, y, out)
    a = x[1:]
    expected = [a + y, a - y, a * y, a / y, x[0] - a, a * x[0]]
    assert_array_equal(out.reshape(6, VECTOR), expected)


def test_a_multiply_add_rounds_alike_in_vectors_and_alone(numbers, dtype):
    x, y = numbers[0][:VECTOR], numbers[1]
    out = np.zeros(4 * VECTOR, dtype)
    fuse(x, y, out)
    expected = [x * y + x, y[0] * y + x, x * y + y[0], x * y + x]
    np.testing.assert_allclose(out.reshape(4, VECTOR), expected, rtol=1e-5, atol=1e-6)
    assert_array_equal(out[:VECTOR], out[3 * VECTOR :])


def test_bounds_leave_nan_as_it_is(dtype):
    x = np.array([-2, -0.5, -0.1, 0, 0.3, 0.5, 7, np.nan], dtype)
    out = np.zeros(VECTOR, dtype)
    bound(x, out)
    assert_array_equal(out, np.clip(x, -0.5, 0.5))


def test_magnitudes_and_roots_are_those_of_numpy(dtype):
    x = np.array([-2, -0.0, 0, 1e-30, 0.3, 2, np.inf, np.nan], dtype)
    out = np.zeros(2 * VECTOR, dtype)
    measure(x, out)
    with np.errstate(invalid="ignore"):
        assert_array_equal(out.reshape(2, VECTOR), [np.abs(x), np.sqrt(x)])


def test_nothing_around_a_vector_is_touched(dtype):
    @numba.njit(**OPTIONS)
    def copy(x, out):
        store(out, 3, load(x, 2))

    x, out = np.arange(12, dtype=dtype), np.full(14, -1, dtype)
    copy(x, out)
    assert_array_equal(out, [-1] * 3 + list(range(2, 10)) + [-1] * 3)
