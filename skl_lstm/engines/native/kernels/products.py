"""Products of matrices, in which every number is summed in one order.

Each element of ``C = S + A @ B`` starts from its element of S and takes the products one after
the other, so it does not depend on the other rows and columns, or on the thread. Meanwhile tiles
of C stay in registers: 4 x 16 numbers keep the arithmetic of a core busy, with six loads for eight
multiply-adds.

B is stored in panels of `PANEL` columns: column j of row p is at
``at + j // PANEL * panel + p * row + j % PANEL``. A packed panel is contiguous (`row` is `PANEL`),
so that it is read as a stream; a plain matrix has a `panel` of `PANEL` and a `row` of its width.
The number of columns of B and C is a multiple of the width of a vector.
"""

import numpy as np

from skl_lstm.engines.native.kernels import tables
from skl_lstm.engines.native.kernels.compiling import U, inlined, jit
from skl_lstm.engines.native.kernels.vectors import load, multiply_add, store, total

V = np.int64(tables.VECTOR)
PANEL = np.int64(tables.PANEL)

# Number of rows of B that one product should take, of which a panel stays in the fastest cache.
INNER = np.int64(256)


@jit
def multiply(
    n_rows, n_columns, n_inner, a, a_at, a_row, a_step, b, b_at, b_panel, b_row,
    s, s_at, s_row, c, c_at, c_row,
):  # fmt: skip
    """Store S + A @ B in C, which may be S.

    Element (i, p) of A is ``a[a_at + i * a_row + p * a_step]``, so that A can be a transposed
    matrix. If `s_row` is 0, S is one row for all.
    """
    for j in range(0, n_columns, PANEL):
        b_j = b_at + j // PANEL * b_panel
        whole = j + PANEL <= n_columns
        i = 0
        while i + 4 <= n_rows:
            a_i = a_at + i * a_row
            s_i = s_at + i * s_row + j
            c_i = c_at + i * c_row + j
            if whole:
                _four_rows(
                    n_inner, a, a_i, a_row, a_step, b, b_j, b_row, s, s_i, s_row, c, c_i, c_row
                )  # fmt: skip
            else:
                _four_rows_of_half(
                    n_inner, a, a_i, a_row, a_step, b, b_j, b_row, s, s_i, s_row, c, c_i, c_row
                )  # fmt: skip
            i += 4
        while i < n_rows:
            a_i = a_at + i * a_row
            s_i = s_at + i * s_row + j
            c_i = c_at + i * c_row + j
            if whole:
                _row(n_inner, a, a_i, a_step, b, b_j, b_row, s, s_i, c, c_i)
            else:
                _row_of_half(n_inner, a, a_i, a_step, b, b_j, b_row, s, s_i, c, c_i)
            i += 1


@inlined
def _four_rows(n_inner, a, a_at, a_row, a_step, b, b_at, b_row, s, s_at, s_row, c, c_at, c_row):
    s_1 = s_at + s_row
    s_2 = s_1 + s_row
    s_3 = s_2 + s_row
    x_00, x_01 = load(s, s_at), load(s, s_at + V)
    x_10, x_11 = load(s, s_1), load(s, s_1 + V)
    x_20, x_21 = load(s, s_2), load(s, s_2 + V)
    x_30, x_31 = load(s, s_3), load(s, s_3 + V)
    for _ in range(n_inner):
        b_0, b_1 = load(b, b_at), load(b, b_at + V)
        a_0 = a[U(a_at)]
        a_1 = a[U(a_at + a_row)]
        a_2 = a[U(a_at + 2 * a_row)]
        a_3 = a[U(a_at + 3 * a_row)]
        x_00, x_01 = multiply_add(a_0, b_0, x_00), multiply_add(a_0, b_1, x_01)
        x_10, x_11 = multiply_add(a_1, b_0, x_10), multiply_add(a_1, b_1, x_11)
        x_20, x_21 = multiply_add(a_2, b_0, x_20), multiply_add(a_2, b_1, x_21)
        x_30, x_31 = multiply_add(a_3, b_0, x_30), multiply_add(a_3, b_1, x_31)
        a_at += a_step
        b_at += b_row
    c_1 = c_at + c_row
    c_2 = c_1 + c_row
    c_3 = c_2 + c_row
    store(c, c_at, x_00)
    store(c, c_at + V, x_01)
    store(c, c_1, x_10)
    store(c, c_1 + V, x_11)
    store(c, c_2, x_20)
    store(c, c_2 + V, x_21)
    store(c, c_3, x_30)
    store(c, c_3 + V, x_31)


@inlined
def _four_rows_of_half(
    n_inner, a, a_at, a_row, a_step, b, b_at, b_row, s, s_at, s_row, c, c_at, c_row
):  # fmt: skip
    x_0 = load(s, s_at)
    x_1 = load(s, s_at + s_row)
    x_2 = load(s, s_at + 2 * s_row)
    x_3 = load(s, s_at + 3 * s_row)
    for _ in range(n_inner):
        b_0 = load(b, b_at)
        x_0 = multiply_add(a[U(a_at)], b_0, x_0)
        x_1 = multiply_add(a[U(a_at + a_row)], b_0, x_1)
        x_2 = multiply_add(a[U(a_at + 2 * a_row)], b_0, x_2)
        x_3 = multiply_add(a[U(a_at + 3 * a_row)], b_0, x_3)
        a_at += a_step
        b_at += b_row
    store(c, c_at, x_0)
    store(c, c_at + c_row, x_1)
    store(c, c_at + 2 * c_row, x_2)
    store(c, c_at + 3 * c_row, x_3)


@inlined
def _row(n_inner, a, a_at, a_step, b, b_at, b_row, s, s_at, c, c_at):
    x_0, x_1 = load(s, s_at), load(s, s_at + V)
    for _ in range(n_inner):
        a_0 = a[U(a_at)]
        x_0 = multiply_add(a_0, load(b, b_at), x_0)
        x_1 = multiply_add(a_0, load(b, b_at + V), x_1)
        a_at += a_step
        b_at += b_row
    store(c, c_at, x_0)
    store(c, c_at + V, x_1)


@inlined
def _row_of_half(n_inner, a, a_at, a_step, b, b_at, b_row, s, s_at, c, c_at):
    x_0 = load(s, s_at)
    for _ in range(n_inner):
        x_0 = multiply_add(a[U(a_at)], load(b, b_at), x_0)
        a_at += a_step
        b_at += b_row
    store(c, c_at, x_0)


@jit
def multiply_rows(n_rows, n_columns, n_inner, a, a_at, a_row, b, b_at, b_row, c, c_at, c_row):
    """Store A @ B.T in C, for so few rows that transposing B would take longer.

    `n_inner` is a number of whole vectors, in each lane of which one sum is made; `n_columns` is
    any number.
    """
    for i in range(n_rows):
        a_i = a_at + i * a_row
        for j in range(n_columns):
            b_j = b_at + j * b_row
            x = load(a, a_i) * load(b, b_j)
            for p in range(V, n_inner, V):
                x = multiply_add(load(a, a_i + p), load(b, b_j + p), x)
            c[U(c_at + i * c_row + j)] = total(x)
