"""Data that several test files share."""

import os

import hypothesis
import numpy as np
import pytest

from skl_lstm import load_airline_passengers, make_supervised

# Times belong to benchmarks: a busy machine fails no test.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

os.environ.setdefault("MPLBACKEND", "agg")  # pictures are looked at by their artists


@pytest.fixture(scope="session")
def airline():
    """The airline series as (X, y), thousands of thousands of passengers: about 0.1 to 0.6."""
    return make_supervised(load_airline_passengers() / 1000)


@pytest.fixture(
    params=["native", pytest.param("keras", marks=[pytest.mark.slow, pytest.mark.needs("keras")])]
)
def engine(request):
    return request.param


@pytest.fixture
def series():
    """A multivariate series of 40 steps, two columns, without order in it."""
    return np.random.default_rng(3).normal(size=(40, 2))
