"""A series becomes rows and what follows each of them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skl_lstm import SeriesWarning, make_supervised


def test_supervised_pairs_a_value_with_the_next():
    X, y = make_supervised([1.0, 2.0, 3.0])
    assert_array_equal(X, [[1], [2]])
    assert_array_equal(y, [2, 3])


def test_supervised_keeps_pandas_with_the_index_of_X():
    index = pd.period_range("2020-01", periods=5, freq="M")
    X, y = make_supervised(pd.Series(range(5), index, name="sold"), horizon=2)
    assert list(X.columns) == ["sold"]
    assert list(y.columns) == ["sold_step1", "sold_step2"]
    assert_array_equal(y, [[1, 2], [2, 3], [3, 4]])
    pd.testing.assert_index_equal(X.index, index[:3])
    pd.testing.assert_index_equal(y.index, index[:3])


def test_supervised_gives_a_one_dimensional_target_of_the_series_name():
    X, y = make_supervised(pd.Series([1.0, 2.0, 3.0], name="sold"))
    assert isinstance(y, pd.Series)
    assert y.name == "sold"
    assert X.shape == (2, 1)


def test_supervised_takes_several_columns():
    X, y = make_supervised(pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]}))
    assert_array_equal(X, [[1, 4], [2, 5]])
    assert_array_equal(y, [[2, 5], [3, 6]])


@pytest.mark.parametrize("horizon", [0, -2, 1.5, True])
def test_supervised_wants_a_positive_horizon(horizon):
    with pytest.raises(ValueError, match=f"horizon must be a positive integer, got {horizon!r}"):
        make_supervised([1.0, 2.0], horizon=horizon)


def test_supervised_wants_more_values_than_the_horizon():
    with pytest.raises(ValueError, match="more values than horizon=3, got 3 of them"):
        make_supervised([1.0, 2.0, 3.0], horizon=3)


def holed():
    days = pd.date_range("2024-01-01", periods=12)
    frame = pd.DataFrame({"sold": np.arange(12.0), "price": 10 * np.arange(12)}, days)
    return frame.drop(days[[3, 4]])


def test_no_target_lies_beyond_a_missing_row():
    with pytest.warns(SeriesWarning, match="^series lacks a row for 2024-01-04, as its freq"):
        X, y = make_supervised(holed(), target="sold", known="price", horizon=2)
    assert_array_equal(X["sold"], [0, 1, 2, 5, 6, 7, 8, 9])
    nan = np.nan
    assert_array_equal(y["sold_step1"], [1, 2, nan, 6, 7, 8, 9, 10])
    assert_array_equal(y["sold_step2"], [2, nan, nan, 7, 8, 9, 10, 11])
    assert_array_equal(X["price"], [20, nan, nan, 70, 80, 90, 100, 110])


def test_rows_follow_each_other_where_freq_says_so():
    _, y = make_supervised(holed()["sold"], freq="rows")
    assert_array_equal(y, [1, 2, 5, 6, 7, 8, 9, 10, 11])
    with pytest.raises(ValueError, match=r"^series must have a row for 2024-01-04, as its freq"):
        make_supervised(holed()["sold"], freq="D")


def test_several_targets_beyond_a_missing_row_are_unknown():
    days = pd.date_range("2024-01-01", periods=5).delete(3)
    series = pd.DataFrame({"a": np.arange(4.0), "b": np.arange(4.0) + 10}, index=days)
    with pytest.warns(SeriesWarning, match="lacks a row for 2024-01-04"):
        _, y = make_supervised(series)
    assert_array_equal(y, [[1, 11], [2, 12], [np.nan, np.nan]])


@pytest.mark.parametrize("as_text", [True, False])
def test_dates_that_come_again_are_told(as_text):
    days = pd.date_range("2024-01-01", periods=3)
    series = pd.DataFrame({"sold": np.arange(6.0), "day": [*days, *days]})
    series["day"] = series["day"].astype(str) if as_text else series["day"]
    with pytest.warns(SeriesWarning, match="column 'day' with dates that come again"):
        make_supervised(series, target="sold")
