"""Data that the tests of forecasts share."""

import numpy as np
import pytest
from models import linear

from skl_lstm import make_supervised


@pytest.fixture
def linear_30():
    """What goes on from 0, 1, …, 29 by 30, 31 and so on."""
    return linear(2).fit(*make_supervised(np.arange(30.0)))
