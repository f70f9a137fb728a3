"""What the tests of drawing share."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def _figures_are_closed():
    plt.close("all")
    yield
    plt.close("all")
