"""The airline series is whole, and dated."""

import pandas as pd

from skl_lstm import load_airline_passengers


def test_the_airline_series_is_the_published_one():
    series = load_airline_passengers()
    assert series.shape == (144,)
    assert series.index.equals(pd.date_range("1949-01", "1960-12", freq="MS", name="Month"))
    assert series.iloc[[0, 1, -2, -1]].tolist() == [112, 118, 390, 432]
    assert series.sum() == 40363
