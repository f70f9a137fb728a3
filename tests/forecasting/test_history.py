"""A forecast goes on with the index of its history, which must be known to its end."""

import numpy as np
import pandas as pd
import pytest
from models import SPLITS, linear, piped
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    forecast,
    load_airline_passengers,
    make_supervised,
)


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2020-01-01", periods=32, freq="MS", name="when"),
        pd.period_range("2020Q1", periods=32, freq="Q"),
        pd.RangeIndex(10, 330, 10),
    ],
    ids=["dates", "periods", "numbers"],
)
def test_the_index_and_the_name_go_on(index, linear_30):
    ahead = forecast(linear_30, pd.Series(np.arange(30.0), index[:30], name="y"), 2)
    pd.testing.assert_series_equal(ahead, pd.Series([30.0, 31.0], index[30:], name="y"))


@pytest.mark.parametrize("history", [list(range(30)), np.arange(30.0)[:, np.newaxis]])
def test_an_array_counts_its_rows(history, linear_30):
    expected = pd.Series([30.0, 31.0], pd.RangeIndex(30, 32))
    pd.testing.assert_series_equal(forecast(linear_30, history, 2), expected)


def test_dates_with_a_hole_are_refused_or_taken_as_they_are(linear_30):
    months = pd.date_range("2020-01-01", periods=32, freq="MS")
    series = pd.Series(np.arange(30.0), months[:31].delete(7))
    with pytest.raises(ValueError, match=r"^history must have a row for 2020-08-01, as "):
        forecast(linear_30, series, 1)
    ahead = forecast(linear_30, series, 1, freq="MS")
    pd.testing.assert_series_equal(ahead, pd.Series([30.0], months[31:]))


def test_a_history_shorter_than_look_back_is_refused():
    series = load_airline_passengers()
    model = GridSearchCV(linear(), {"lookbackwindower__look_back": [12]}, cv=SPLITS)
    model.fit(*make_supervised(series))
    assert len(forecast(model, series[-12:], 1)) == 1
    with pytest.raises(ValueError, match=r"^history must have at least look_back=12 rows, got 11"):
        forecast(model, series[-11:], 1)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (
            pd.Series([], dtype=float),
            r"history must have at least one row and column, got shape \(0, 1\)",
        ),
        (
            pd.DataFrame([[1.0, 2.0]] * 3, columns=["a", "a"]),
            r"history must have columns of different names, got \['a', 'a'\]",
        ),
        (np.zeros((5, 2, 1)), "^history must have one or two dimensions, got 3$"),
        (7.0, "^history must have one or two dimensions, got 0$"),
        (
            pd.Series(
                [1.0, 2.0, np.nan], pd.period_range("2020-01", periods=3, freq="M"), name="y"
            ),
            "history must end with known values, got NaN in column 'y' of its last row, 2020-03",
        ),
    ],
)
def test_a_history_must_be_known_to_its_end(history, message, linear_30):
    with pytest.raises(ValueError, match=message):
        forecast(linear_30, history, 2)


def test_a_forecast_that_is_not_a_number_is_refused_with_its_step():
    series = load_airline_passengers().astype(float)
    X, y = make_supervised(series)
    model = make_pipeline(LookbackWindower(3), KnownRowsRegressor()).fit(X, y)
    series.iloc[-2] = np.nan
    with pytest.raises(
        ValueError,
        match=r"^model must predict numbers, got NaN at step 1, 1961-01-01, for 'passengers': "
        r"fill the missing values in the last rows of history, or let the windower do it with "
        r"fill_missing='forward'$",
    ):
        forecast(model, series, 3)
    filled = model.set_params(lookbackwindower__fill_missing="forward")
    assert forecast(filled, series, 3).notna().all()


def test_a_gap_in_the_history_is_the_models_to_fill():
    series = load_airline_passengers().astype(float)
    model = piped(3).fit(*make_supervised(series))
    series.iloc[-2] = np.nan
    assert forecast(model, series, 3).notna().all()


@pytest.mark.parametrize(
    ("fitted_on", "given"), [("h", "D"), ("D", "h"), ("MS", "D"), ("D", "MS")]
)
def test_a_history_of_another_step_than_that_of_the_fit_is_refused(fitted_on, given):
    values = np.random.default_rng(0).normal(size=60)
    model = linear(3).fit(
        *make_supervised(pd.Series(values, pd.date_range("2024", periods=60, freq=fitted_on)))
    )
    history = pd.Series(values, pd.date_range("2024", periods=60, freq=given))
    with pytest.raises(
        ValueError,
        match=rf"^history must have a row every {fitted_on}, as the rows that the model was "
        r"fitted on, got 2024-0.* after 2024-01-01$",
    ):
        forecast(model, history, 1)
