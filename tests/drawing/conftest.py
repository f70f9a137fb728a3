"""What the tests of drawing share."""

import pytest


@pytest.fixture(autouse=True)
def _figures_are_closed():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.close("all")
    yield
    plt.close("all")
