"""A product is that of NumPy, and each of its numbers is summed in the same order anywhere."""

import numba
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstm.engines.native.kernels.arithmetic import pack, transpose
from skl_lstm.engines.native.kernels.compiling import OPTIONS
from skl_lstm.engines.native.kernels.products import PANEL, multiply, multiply_rows


@numba.njit(**OPTIONS)
def run(n_rows, n_columns, n_inner, a, a_row, a_step, b, b_panel, b_row, s, s_row, c):
    multiply(
        n_rows, n_columns, n_inner, a, 0, a_row, a_step, b, 0, b_panel, b_row, s, 0, s_row,
        c, 0, n_columns,
    )  # fmt: skip


@numba.njit(**OPTIONS)
def run_pack(b, n_rows, n_columns, target, panel):
    pack(b, 0, n_columns, n_rows, n_columns, target, 0, panel)


@numba.njit(**OPTIONS)
def run_transpose(a, n_rows, n_columns, target, panel, row):
    transpose(a, 0, n_rows, n_columns, target, 0, panel, row)


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def product(a, b, start=None, packed=False):
    (n_rows, n_inner), n_columns = a.shape, b.shape[1]
    panel, row, flat = PANEL, n_columns, b.ravel()
    if packed:
        panel, row = n_inner * PANEL, PANEL
        flat = np.zeros(-(-n_columns // PANEL) * panel, np.float32)
        run_pack(b.ravel(), n_inner, n_columns, flat, panel)
    s = np.zeros((1, n_columns), np.float32) if start is None else start
    s_row = n_columns if len(s) > 1 else 0
    c = np.zeros((n_rows, n_columns), np.float32)
    steps = a.strides[0] // 4, a.strides[1] // 4
    memory = a if a.flags.c_contiguous else a.T
    run(*a.shape[:1], n_columns, n_inner, memory.ravel(), *steps, flat, panel, row, s.ravel(), s_row, c.ravel())  # fmt: skip # noqa: E501
    return c


SHAPES = [(1, 1, 8), (3, 5, 16), (4, 7, 24), (9, 300, 40), (16, 64, 256), (6, 17, 8)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("n_rows", "n_inner", "n_columns"), SHAPES)
def test_a_product_is_that_of_numpy(n_rows, n_inner, n_columns, packed):
    a, b, start = random(n_rows, n_inner), random(n_inner, n_columns), random(n_rows, n_columns)
    exact = a.astype(float) @ b
    tolerance = {"rtol": 1e-5, "atol": 1e-6 * n_inner}
    assert_allclose(product(a, b, packed=packed), exact, **tolerance)
    assert_allclose(product(a, b, start, packed), exact + start, **tolerance)
    assert_allclose(product(a, b, start[:1], packed), exact + start[0], **tolerance)


@pytest.mark.parametrize(("n_rows", "n_inner", "n_columns"), SHAPES)
def test_a_transposed_matrix_gives_the_same_bits(n_rows, n_inner, n_columns):
    a, b = random(n_rows, n_inner), random(n_inner, n_columns)
    transposed = np.ascontiguousarray(a.T).T
    assert_array_equal(product(transposed, b), product(a, b))


@pytest.mark.parametrize(("n_rows", "n_inner", "n_columns"), SHAPES)
def test_a_row_has_the_same_bits_in_any_company(n_rows, n_inner, n_columns):
    a, b = random(n_rows, n_inner), random(n_inner, n_columns)
    whole = product(a, b)
    order = np.random.default_rng(0).permutation(n_rows)
    assert_array_equal(product(a[order], b), whole[order])
    for row in range(n_rows):
        assert_array_equal(product(a[row : row + 1], b, packed=True), whole[row : row + 1])
    assert_array_equal(product(a, b[:, :8].copy()), whole[:, :8])


@numba.njit(**OPTIONS)
def run_rows(n_rows, n_columns, n_inner, a, b, c):
    multiply_rows(n_rows, n_columns, n_inner, a, 0, n_inner, b, 0, n_inner, c, 0, n_columns)


@pytest.mark.parametrize(("n_rows", "n_columns", "n_inner"), [(1, 1, 8), (2, 5, 32), (3, 9, 64)])
def test_rows_are_multiplied_by_rows(n_rows, n_columns, n_inner):
    a, b = random(n_rows, n_inner), random(n_columns, n_inner)
    c = np.zeros((n_rows, n_columns), np.float32)
    run_rows(n_rows, n_columns, n_inner, a.ravel(), b.ravel(), c.ravel())
    assert_allclose(c, a.astype(float) @ b.T, rtol=1e-5, atol=1e-5)


def test_a_matrix_is_transposed_into_panels():
    a = random(19, 32)
    plain = np.zeros((32, 24), np.float32)
    run_transpose(a.ravel(), 19, 32, plain.ravel(), PANEL, 24)
    assert_array_equal(plain[:, :19], a.T)
    packed = np.zeros((2, 32, PANEL), np.float32)
    run_transpose(a.ravel(), 19, 32, packed.ravel(), 32 * PANEL, PANEL)
    assert_array_equal(packed[0], a.T[:, :16])
    assert_array_equal(packed[1, :, :3], a.T[:, 16:])
