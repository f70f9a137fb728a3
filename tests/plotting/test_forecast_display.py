"""Pictures of forecasts show each value at the time it is of, and name what they show."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pictures import N_TRAIN, fitted_on, linear, names, points
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    ForecastDisplay,
    LookbackWindower,
    forecast,
    forecast_interval,
    make_supervised,
)

plt = pytest.importorskip("matplotlib.pyplot")
ConciseDateFormatter = pytest.importorskip("matplotlib.dates").ConciseDateFormatter
date2num = pytest.importorskip("matplotlib.dates").date2num


def test_each_value_stands_at_the_time_it_is_of(series):
    model, X, y = fitted_on(series)
    display = ForecastDisplay.from_estimator(
        model, X, y, n_train=N_TRAIN, steps=12, n_history=None
    )
    predictions = model.predict(X)
    expected = {
        "history": series,
        "fitted": pd.Series(predictions[:N_TRAIN], series.index[1 : N_TRAIN + 1]),
        "predicted": pd.Series(predictions[N_TRAIN:], series.index[N_TRAIN + 1 :]),
        "forecast": forecast(model, series, 12),
    }
    for name, values in expected.items():
        times, heights = points(getattr(display, f"{name}_line_"))
        assert_array_equal(times, values.index.to_numpy())
        assert_array_equal(heights, values)
    assert display.interval_ is None
    assert names(display.ax_) == ["known", "fitted", "predicted", "held out", "forecast"]
    assert display.figure_ is display.ax_.figure
    assert list(display.axes_) == [display.ax_]


def test_the_interval_is_a_band_that_says_its_coverage(series):
    model, X, y = fitted_on(series)
    display = ForecastDisplay.from_estimator(model, X, y, n_train=N_TRAIN, steps=3, coverage=0.8)
    (path,) = display.interval_.get_paths()
    interval = forecast_interval(model, series, 3, coverage=0.8)
    corners = {tuple(corner) for corner in path.vertices.round(6)}
    times = date2num(interval.index)
    for bound in ("lower", "upper"):
        assert set(zip(times, interval[bound].round(6), strict=True)) <= corners
    assert names(display.ax_)[-1] == "80% interval"


def test_dates_are_dates_with_names_on_the_axes(series):
    display = ForecastDisplay.from_estimator(*fitted_on(series))
    display.figure_.draw_without_rendering()
    axis = display.ax_.xaxis
    assert isinstance(axis.get_major_formatter(), ConciseDateFormatter)
    shown = [label.get_text() for label in axis.get_ticklabels() if label.get_text()]
    assert {"1950", "1960"} <= set(shown)
    assert display.ax_.get_xlabel() == "Month"
    assert display.ax_.get_ylabel() == "passengers"


def test_periods_stand_at_their_beginning(series):
    model, X, y = fitted_on(series.rename("p").set_axis(series.index.to_period()))
    display = ForecastDisplay.from_estimator(model, X, y, steps=1, n_history=None)
    assert_array_equal(points(display.history_line_)[0], series.index.to_numpy())
    assert points(display.forecast_line_)[0] == np.datetime64("1961-01-01")


def test_dates_of_a_zone_are_shown_in_it():
    hours = pd.date_range("2024-03-29", periods=60, freq="h", tz="Europe/Berlin")
    display = ForecastDisplay.from_predictions(pd.Series(np.arange(60.0), hours))
    display.figure_.draw_without_rendering()
    assert points(display.history_line_)[0][0] == np.datetime64("2024-03-28T23:00")
    shown = {label.get_text() for label in display.ax_.get_xticklabels()}
    assert (
        {"12:00", "Mar-30"}
        <= shown
        <= {
            *("06:00", "12:00", "18:00"),
            *("Mar-29", "Mar-30", "Mar-31"),
        }
    )


def test_rows_without_dates_are_numbered(series):
    model, X, y = fitted_on(series.to_numpy())
    display = ForecastDisplay.from_estimator(model, X, y, n_train=N_TRAIN, steps=2, n_history=None)
    assert_array_equal(points(display.history_line_)[0], np.arange(144))
    assert_array_equal(points(display.predicted_line_)[0], np.arange(N_TRAIN + 1, 144))
    assert_array_equal(points(display.forecast_line_)[0], [144, 145])
    assert display.ax_.get_xlabel() == "time step"
    assert display.ax_.get_ylabel() == "value"


def test_all_rows_count_as_fitted_unless_said_otherwise(series):
    display = ForecastDisplay.from_estimator(*fitted_on(series))
    assert len(points(display.fitted_line_)[0]) == 143
    assert display.predicted_line_ is None
    assert names(display.ax_) == ["known", "fitted"]


def test_a_model_of_several_steps_shows_its_first_and_goes_on_after_the_last_value(series):
    model, X, y = fitted_on(series, horizon=6)
    display = ForecastDisplay.from_estimator(model, X, y, steps=6, n_history=None)
    assert_array_equal(points(display.history_line_)[1], series)
    times, heights = points(display.fitted_line_)
    assert times[0] == np.datetime64("1949-02-01")
    assert_array_equal(heights, model.predict(X)[:, 0])
    assert points(display.forecast_line_)[0][0] == np.datetime64("1961-01-01")


def test_a_target_beside_further_columns_is_shown_alone(series):
    frame = pd.DataFrame({"month": series.index.month, "passengers": series})
    X, y = frame[:-1], series[1:].set_axis(series.index[:-1])
    model = linear().fit(X, y)
    display = ForecastDisplay.from_estimator(model, X, y)
    assert_array_equal(points(display.history_line_)[0], series.index[1:].to_numpy())
    assert_array_equal(points(display.history_line_)[1], series[1:])
    with pytest.raises(
        ValueError,
        match=r"^steps requires the series itself as X, without y, or X of one column and y that "
        "continues it$",
    ):
        ForecastDisplay.from_estimator(model, X, y, steps=3)


@pytest.mark.parametrize("coverage", [None, 0.8])
def test_a_series_with_columns_known_ahead_is_shown_with_its_forecast(series, coverage):
    frame = pd.DataFrame({"month": series.index.month, "passengers": series})
    names = {"target": "passengers", "known": "month"}
    model = linear().fit(*make_supervised(frame, **names))
    future = pd.DataFrame({"month": [1, 2, 3]})
    display = ForecastDisplay.from_estimator(
        model, frame, steps=3, coverage=coverage, future=future, n_history=None, **names
    )
    assert_array_equal(points(display.history_line_)[1], series)
    ahead = forecast(model, frame, 3, future=future, **names)
    assert_array_equal(points(display.forecast_line_)[1], ahead)
    assert (display.interval_ is None) == (coverage is None)


def test_what_changes_later_changes_nothing_drawn_before(series):
    model, X, y = fitted_on(series)
    later = series.copy()
    later.iloc[120:] *= 3
    before = ForecastDisplay.from_estimator(model, X, y, n_train=N_TRAIN)
    after = ForecastDisplay.from_estimator(model, *make_supervised(later), n_train=N_TRAIN)
    for line in ("fitted_line_", "predicted_line_"):
        times, heights = points(getattr(before, line))
        known = times <= series.index[120].to_numpy()
        assert_allclose(points(getattr(after, line))[1][known], heights[known])


def test_a_single_value_is_seen(series):
    display = ForecastDisplay.from_predictions(series, forecast=series[-1:])
    assert display.forecast_line_.get_marker() == "o"
    assert display.history_line_.get_marker() == "None"
    gaps = series.astype(float)
    gaps.iloc[[3, 5]] = np.nan
    line = ForecastDisplay.from_predictions(gaps).history_line_
    assert line.get_markevery() == [4]


def test_a_classifier_has_no_forecast_to_draw(series):
    X, y = make_supervised(series)
    model = make_pipeline(MinMaxScaler(), LogisticRegression()).fit(X, y > 300)
    with pytest.raises(ValueError, match="estimator must be a regressor, got Pipeline"):
        ForecastDisplay.from_estimator(model, X, y)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"coverage": 0.9}, "coverage requires steps, got coverage=0.9 and steps=None"),
        ({"y": [1.0]}, "X and y must be of equal length, got 143 and 1 rows"),
        ({"n_train": -1}, "n_train must be an integer of at least 0, got -1"),
        ({"n_train": 144}, "n_train must be at most 143, the number of rows, got 144"),
        ({"steps": 0}, "steps must be a positive integer, got 0"),
        ({"steps": 2.5}, "steps must be a positive integer, got 2.5"),
    ],
)
def test_bad_input_is_named(changes, message, series):
    model, X, y = fitted_on(series)
    with pytest.raises(ValueError, match=message):
        ForecastDisplay.from_estimator(**{"estimator": model, "X": X, "y": y, **changes})
    assert not plt.get_fignums()


def test_holes_in_the_dates_are_named_or_accepted(series):
    model, X, y = fitted_on(series)
    X, y = X.drop(X.index[5]), y.drop(y.index[5])
    with pytest.raises(ValueError, match="history must have a row for 1949-06-01"):
        ForecastDisplay.from_estimator(model, X, y)
    display = ForecastDisplay.from_estimator(model, X, y, freq="MS")
    assert points(display.fitted_line_)[0][-1] == series.index[-1].to_numpy()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"history": [1.0, 2.0]}, "history must be a Series or DataFrame of pandas, got list"),
        ({"fitted": np.ones(3)}, "fitted must be a Series or DataFrame of pandas, got ndarray"),
        (
            {"predicted": pd.Series([1.0, 2.0])},
            "all be indexed by dates or periods, or all by numbers; got RangeIndex of int64 for "
            "predicted",
        ),
        ({"history": pd.Series([1.0], ["a"])}, "got Index of (object|str) for history"),
        (
            {"forecast": pd.DataFrame({"a": [1.0]})},
            r"forecast must be a Series, or have a column 'forecast', columns of quantiles, or "
            r"those of history, \['passengers'\], got \['a'\]",
        ),
    ],
)
def test_what_has_no_place_in_time_is_refused(changes, message, series):
    with pytest.raises(ValueError, match=message):
        ForecastDisplay.from_predictions(**{"history": series, **changes})
    assert not plt.get_fignums()


def test_a_series_whose_last_targets_are_not_known_is_drawn_to_the_last_known(series):
    frame = pd.DataFrame({"passengers": series.astype(float), "month": series.index.month})
    names = {"target": "passengers", "known": "month"}
    model = linear().fit(*make_supervised(frame[:130], **names))
    frame.iloc[130:, 0] = np.nan
    display = ForecastDisplay.from_estimator(model, frame, steps=6, n_history=None)
    assert len(points(display.history_line_)[1]) == 130
    assert_array_equal(points(display.forecast_line_)[1], forecast(model, frame, 6))


@pytest.fixture
def shops():
    """Two shops of different length, the first columns of which is what is sold."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=40, name="day")
    frames = {
        s: pd.DataFrame({"sold": rng.random(40) + i}, index=days) for i, s in enumerate("ab")
    }
    return pd.concat({"a": frames["a"], "b": frames["b"][:30]}, names=["shop", "day"])


@pytest.mark.parametrize("label", [None, "b"])
@pytest.mark.parametrize("coverage", [None, 0.6])
def test_one_of_several_series_is_drawn_as_it_is_forecast(shops, label, coverage):
    X, y = make_supervised(shops, group="shop")
    windower = LookbackWindower(3, padding="edge", group="shop")
    model = make_pipeline(windower, LinearRegression()).fit(X, y)
    display = ForecastDisplay.from_estimator(
        model, shops, n_train=20, steps=4, series=label, coverage=coverage
    )
    drawn = label or "a"
    said = model.predict(X)[X.index.get_level_values("shop") == drawn]
    own = shops.loc[drawn]["sold"]
    ahead = forecast(model, shops, 4).loc[drawn]
    expected = {
        "history": own,
        "fitted": pd.Series(said[:20], own.index[1:21]),
        "predicted": pd.Series(said[20:], own.index[21:]),
        "forecast": ahead,
    }
    for name, values in expected.items():
        times, heights = points(getattr(display, f"{name}_line_"))
        assert_array_equal(times, values.index.to_numpy())
        assert_allclose(heights, values)
    assert (display.interval_ is None) == (coverage is None)
    assert display.ax_.get_ylabel() == "sold"


def test_a_series_that_is_not_there_is_refused(shops):
    X, y = make_supervised(shops, group="shop")
    windower = LookbackWindower(3, padding="edge", group="shop")
    model = make_pipeline(windower, LinearRegression()).fit(X, y)
    with pytest.raises(ValueError, match=r"series must be a label in \['shop'\], .* 'a', got 'c'"):
        ForecastDisplay.from_estimator(model, shops, series="c")
    with pytest.raises(ValueError, match="y must be None for several series"):
        ForecastDisplay.from_estimator(model, X, y)
