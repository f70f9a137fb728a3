"""The small loops from which everything else is built, on stretches of flat arrays.

Where nothing else is said, a stretch or a row is a whole number of vectors.
"""

import numpy as np

from skl_lstm.engines.native.kernels.compiling import HALF, U, jit
from skl_lstm.engines.native.kernels.products import PANEL, V
from skl_lstm.engines.native.kernels.vectors import at_least, at_most, load, multiply_add, store


@jit
def tanh(x):
    """Compute the hyperbolic tangent, within 2e-7: the rational function that Eigen uses."""
    x = at_most(x, np.float32(7.90531110763549805))
    x = at_least(x, np.float32(-7.90531110763549805))
    s = x * x
    p = multiply_add(s, np.float32(-2.76076847742355e-16), np.float32(2.00018790482477e-13))
    p = multiply_add(p, s, np.float32(-8.60467152213735e-11))
    p = multiply_add(p, s, np.float32(5.12229709037114e-08))
    p = multiply_add(p, s, np.float32(1.48572235717979e-05))
    p = multiply_add(p, s, np.float32(6.37261928875436e-04))
    p = multiply_add(p, s, np.float32(4.89352455891786e-03))
    q = multiply_add(s, np.float32(1.19825839466702e-06), np.float32(1.18534705686654e-04))
    q = multiply_add(q, s, np.float32(2.26843463243900e-03))
    q = multiply_add(q, s, np.float32(4.89352518554385e-03))
    return x * p / q


@jit
def sigmoid(x):
    """Compute the logistic sigmoid as (1 + tanh(x / 2)) / 2, which never overflows."""
    return multiply_add(tanh(x * HALF), HALF, HALF)


@jit
def fill(array, at, size, value):
    """Set a stretch of any size to one value."""
    for j in range(size):
        array[U(at + j)] = value


@jit
def add_rows(matrix, at, n_rows, n_columns, total, total_at):
    """Add every row of a matrix to one row."""
    for r in range(n_rows):
        row = at + r * n_columns
        for j in range(0, n_columns, V):
            store(total, total_at + j, load(total, total_at + j) + load(matrix, row + j))


@jit
def pack(source, at, row, n_rows, n_columns, target, target_at, panel):
    """Copy a matrix into packed panels, `panel` apart."""
    for r in range(n_rows):
        for j in range(0, n_columns, V):
            place = target_at + j // PANEL * panel + r * PANEL + j % PANEL
            store(target, place, load(source, at + r * row + j))


@jit
def transpose(source, at, n_rows, n_columns, target, target_at, panel, row):
    """Copy a matrix with any number of rows transposed, into panels of its rows."""
    for r in range(n_rows):
        place = target_at + r // PANEL * panel + r % PANEL
        for j in range(n_columns):
            target[U(place + j * row)] = source[U(at + r * n_columns + j)]
