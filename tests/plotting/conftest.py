"""What the tests of pictures share."""

import pytest

from skl_lstm import load_airline_passengers


@pytest.fixture(autouse=True)
def _figures_are_closed():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.close("all")  # those that other tests in the same process left open
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def series():
    return load_airline_passengers()
