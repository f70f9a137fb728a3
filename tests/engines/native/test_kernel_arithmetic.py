"""The kernel's arithmetic is accurate, and what overflows is not hidden."""

import numba
import numpy as np
import pytest
from problems import ELEMENTWISE, N_ROWS, problem, trainer_of

from skl_lstm.engines.native.kernels import arithmetic


@numba.njit
def tanh(x):
    y = np.empty_like(x)
    for j in range(x.size):
        y[j] = arithmetic.tanh(x[j])
    return y


def test_tanh_is_accurate_and_keeps_nan():
    x = np.linspace(-10, 10, 20001, dtype=np.float32)
    y = tanh(x)
    np.testing.assert_allclose(y, np.tanh(x.astype(np.float64)), rtol=0, atol=3e-7)
    assert abs(y).max() <= 1
    ends = tanh(np.array([np.nan, np.inf, -np.inf], np.float32))
    np.testing.assert_allclose(ends, [np.nan, 1, -1], rtol=0, atol=3e-7)


@pytest.mark.parametrize("loss", ELEMENTWISE)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_overflow_show_in_the_loss(loss, bad):
    for name in ("theta", "y", "buffer"):
        arguments = problem(loss=loss)
        arguments[name].ravel()[-1 if name == "theta" else 3] = bad
        trainer = trainer_of(arguments)
        losses = [trainer.epoch(np.arange(N_ROWS)) for _ in range(2)]
        if name == "buffer" and np.isinf(bad):
            continue  # the gates saturate
        assert not np.isfinite(losses[-1])
