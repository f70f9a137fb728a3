"""The small loops from which everything else is built, on stretches of flat arrays."""

import numpy as np

from skl_lstm.engines.native.kernels.compiling import U, jit


@jit
def tanh(x):
    """Compute the hyperbolic tangent, within 2e-7: the rational function that Eigen uses."""
    x = np.float32(7.90531110763549805) if x > np.float32(7.90531110763549805) else x
    x = np.float32(-7.90531110763549805) if x < np.float32(-7.90531110763549805) else x
    s = x * x
    p = np.float32(-2.76076847742355e-16) * s + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06) * s + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@jit
def matmul_add(n_rows, n_columns, n_inner, a, a_at, a_row, a_step, b, b_at, b_row, c, c_at, c_row):
    """Add A @ B to C.

    A has shape ``(n_rows, n_inner)``; its element (i, p) is
    ``a[a_at + i * a_row + p * a_step]``, so that A can be a transposed matrix. B and C have
    contiguous rows.

    Four rows of C and four of B are processed at a time: 16 multiply-adds for 8 loads and 4
    stores keep the arithmetic units busy.
    """
    i = 0
    while i + 4 <= n_rows:
        c_0 = c_at + i * c_row
        c_1 = c_0 + c_row
        c_2 = c_1 + c_row
        c_3 = c_2 + c_row
        a_0 = a_at + i * a_row
        b_0 = b_at
        p = 0
        while p + 4 <= n_inner:
            a_00, a_01, a_02, a_03 = _four(a, a_0, a_step)
            a_10, a_11, a_12, a_13 = _four(a, a_0 + a_row, a_step)
            a_20, a_21, a_22, a_23 = _four(a, a_0 + 2 * a_row, a_step)
            a_30, a_31, a_32, a_33 = _four(a, a_0 + 3 * a_row, a_step)
            b_1 = b_0 + b_row
            b_2 = b_1 + b_row
            b_3 = b_2 + b_row
            for j in range(n_columns):
                x_0 = b[U(b_0 + j)]
                x_1 = b[U(b_1 + j)]
                x_2 = b[U(b_2 + j)]
                x_3 = b[U(b_3 + j)]
                c[U(c_0 + j)] += a_00 * x_0 + a_01 * x_1 + a_02 * x_2 + a_03 * x_3
                c[U(c_1 + j)] += a_10 * x_0 + a_11 * x_1 + a_12 * x_2 + a_13 * x_3
                c[U(c_2 + j)] += a_20 * x_0 + a_21 * x_1 + a_22 * x_2 + a_23 * x_3
                c[U(c_3 + j)] += a_30 * x_0 + a_31 * x_1 + a_32 * x_2 + a_33 * x_3
            a_0 += 4 * a_step
            b_0 += 4 * b_row
            p += 4
        while p < n_inner:
            a_00, a_10, a_20, a_30 = _four(a, a_0, a_row)
            for j in range(n_columns):
                x_0 = b[U(b_0 + j)]
                c[U(c_0 + j)] += a_00 * x_0
                c[U(c_1 + j)] += a_10 * x_0
                c[U(c_2 + j)] += a_20 * x_0
                c[U(c_3 + j)] += a_30 * x_0
            a_0 += a_step
            b_0 += b_row
            p += 1
        i += 4
    while i < n_rows:
        c_0 = c_at + i * c_row
        a_0 = a_at + i * a_row
        b_0 = b_at
        p = 0
        while p + 4 <= n_inner:
            a_00, a_01, a_02, a_03 = _four(a, a_0, a_step)
            b_1 = b_0 + b_row
            b_2 = b_1 + b_row
            b_3 = b_2 + b_row
            for j in range(n_columns):
                c[U(c_0 + j)] += (
                    a_00 * b[U(b_0 + j)]
                    + a_01 * b[U(b_1 + j)]
                    + a_02 * b[U(b_2 + j)]
                    + a_03 * b[U(b_3 + j)]
                )
            a_0 += 4 * a_step
            b_0 += 4 * b_row
            p += 4
        while p < n_inner:
            a_00 = a[U(a_0)]
            for j in range(n_columns):
                c[U(c_0 + j)] += a_00 * b[U(b_0 + j)]
            a_0 += a_step
            b_0 += b_row
            p += 1
        i += 1


@jit
def _four(a, at, step):
    """Return four elements of an array, `step` apart."""
    return a[U(at)], a[U(at + step)], a[U(at + 2 * step)], a[U(at + 3 * step)]


@jit
def fill(array, at, size, value):
    """Set a stretch to one value."""
    for j in range(size):
        array[U(at + j)] = value


@jit
def repeat_row(source, source_at, n_columns, array, at, n_rows):
    """Copy one row of numbers to each row of a matrix."""
    for r in range(n_rows):
        row = at + r * n_columns
        for j in range(n_columns):
            array[U(row + j)] = source[U(source_at + j)]


@jit
def add_rows(matrix, at, n_rows, n_columns, total, total_at):
    """Add every row of a matrix to one row."""
    for r in range(n_rows):
        row = at + r * n_columns
        for j in range(n_columns):
            total[U(total_at + j)] += matrix[U(row + j)]


@jit
def transpose(source, source_at, n_rows, n_columns, target, target_at):
    """Copy a matrix transposed."""
    for j in range(n_columns):
        for r in range(n_rows):
            target[U(target_at + j * n_rows + r)] = source[U(source_at + r * n_columns + j)]
