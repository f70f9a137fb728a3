"""Each target and each series of a forecast, in any form it is returned in, has a panel."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pictures import linear, names, points
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skl_lstm import (
    ForecastDisplay,
    LookbackWindower,
    forecast,
    forecast_interval,
    make_supervised,
)

plt = pytest.importorskip("matplotlib.pyplot")
date2num = pytest.importorskip("matplotlib.dates").date2num

TIMES = pd.date_range("2024-01-01", periods=60, name="day")


@pytest.fixture(scope="module")
def weather():
    """Two columns, and a model of both."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"wind": rng.random(60), "rain": 10 + rng.random(60)}, TIMES)
    return frame, linear().fit(*make_supervised(frame))


@pytest.fixture(scope="module")
def shops():
    """Three shops of different length, and a model of all."""
    rng = np.random.default_rng(1)
    lengths = {"a": 60, "b": 50, "c": 40}
    frames = {
        name: pd.DataFrame({"sold": rng.random(n), "lost": rng.random(n)}, TIMES[:n])
        for name, n in lengths.items()
    }
    frame = pd.concat(frames, names=["shop"])
    X, y = make_supervised(frame, group="shop")
    windower = LookbackWindower(3, padding="edge", group="shop")
    return frame, make_pipeline(windower, LinearRegression()).fit(X, y)


def rows_of_backtest(*, origins=(40, 44, 48), steps=4, models=("model",), **labels):
    """Return the frame of a backtest in which each forecast is 1 above the truth."""
    rows = [
        {
            **{"model": model, "fold": fold},
            **{name: label for name, label in labels.items() if name != "column"},
            **{"origin": TIMES[origin], "step": step, "time": TIMES[origin + step]},
            **{name: label for name, label in labels.items() if name == "column"},
            **{"truth": 0.0, "forecast": 1.0, "lower": 0.5, "upper": 1.5, "scale": 1.0},
        }
        for model in (*models, "naive")
        for fold, origin in enumerate(origins)
        for step in range(1, steps + 1)
    ]
    frame = pd.DataFrame(rows)
    frame.loc[frame["model"] == "naive", ["lower", "upper"]] = np.nan
    return frame


def band_of(band):
    (path,) = band.get_paths()
    return {tuple(corner) for corner in path.vertices.round(6)}


def corners(table, lower, upper):
    times = date2num(table.index)
    return {
        point
        for column in (lower, upper)
        for point in zip(times, table[column].round(6), strict=True)
    }


@pytest.mark.parametrize("coverage", [None, 0.8])
def test_each_target_of_a_model_has_a_panel(weather, coverage):
    frame, model = weather
    display = ForecastDisplay.from_estimator(
        model, frame, n_train=40, steps=3, coverage=coverage, n_history=None
    )
    said = model.predict(make_supervised(frame)[0])
    ahead = forecast(model, frame, 3)
    assert display.axes_.shape == (2,)
    for k, (name, panel) in enumerate(zip(frame, display.panels_, strict=True)):
        assert panel.ax.get_ylabel() == name
        assert_array_equal(points(panel.history_line)[1], frame[name])
        assert_allclose(points(panel.fitted_line)[1], said[:40, k])
        assert_allclose(points(panel.predicted_line)[1], said[40:, k])
        assert_allclose(points(panel.forecast_line)[1], ahead[name])
        assert len(panel.intervals) == (coverage is not None)
    assert display.history_line_ is display.panels_[0].history_line


def test_targets_that_y_names_are_drawn_and_otherwise_the_first(weather):
    frame, model = weather
    X, y = make_supervised(frame)
    display = ForecastDisplay.from_estimator(model, X, y)
    assert [ax.get_ylabel() for ax in display.axes_] == ["wind", "rain"]
    assert_array_equal(points(display.panels_[1].history_line)[1], frame["rain"][1:])
    unnamed = ForecastDisplay.from_estimator(model, X, y.to_numpy())
    assert unnamed.axes_.shape == (1,)


def test_what_forecasts_return_of_several_targets_is_drawn(weather):
    frame, model = weather
    for ahead in (forecast(model, frame, 3), forecast_interval(model, frame, 3, coverage=0.6)):
        display = ForecastDisplay.from_predictions(frame, forecast=ahead)
        lines = [panel.forecast_line for panel in display.panels_]
        for name, line in zip(frame, lines, strict=True):
            own = ahead[name]
            assert_array_equal(points(line)[1], own if own.ndim == 1 else own["forecast"])
            assert_array_equal(points(line)[0], ahead.index.to_numpy())
    for name, panel in zip(frame, display.panels_, strict=True):
        assert corners(ahead[name], "lower", "upper") <= band_of(panel.intervals[0])


def test_columns_that_are_not_forecast_have_no_panel(weather):
    frame, _ = weather
    ahead = pd.Series([1.0], [TIMES[-1] + pd.Timedelta(days=1)], name="rain")
    display = ForecastDisplay.from_predictions(frame, forecast=ahead)
    assert [ax.get_ylabel() for ax in display.axes_] == ["rain"]
    both = ForecastDisplay.from_predictions(frame)
    assert [ax.get_ylabel() for ax in both.axes_] == ["wind", "rain"]


@pytest.mark.parametrize("coverage", [None, 0.6])
def test_each_series_that_is_named_has_panels(shops, coverage):
    frame, model = shops
    display = ForecastDisplay.from_estimator(
        model, frame, n_train=20, steps=2, coverage=coverage, series=["c", "a"], n_history=None
    )
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["c", "c", "a", "a"]
    assert [ax.get_ylabel() for ax in display.axes_] == ["sold", "lost"] * 2
    ahead = forecast(model, frame, 2)
    for k, (label, name) in enumerate(
        [("c", "sold"), ("c", "lost"), ("a", "sold"), ("a", "lost")]
    ):
        panel = display.panels_[k]
        assert_array_equal(points(panel.history_line)[1], frame.loc[label][name])
        assert_allclose(points(panel.forecast_line)[1], ahead.loc[label][name])
        assert len(points(panel.fitted_line)[1]) == 20
        assert len(panel.intervals) == (coverage is not None)


@pytest.fixture(scope="module")
def of_shops(shops):
    frame, model = shops
    return forecast_interval(model, frame, 2, coverage=0.6)


@pytest.mark.parametrize("as_column", [True, False])
def test_what_forecasts_return_of_several_series_is_drawn(shops, of_shops, as_column):
    (frame, _), ahead = shops, of_shops
    history = frame.reset_index("shop") if as_column else frame
    display = ForecastDisplay.from_predictions(history, forecast=ahead, series="b")
    assert [ax.get_ylabel() for ax in display.axes_] == ["sold", "lost"]
    for name, panel in zip(("sold", "lost"), display.panels_, strict=True):
        assert_array_equal(points(panel.history_line)[1], frame.loc["b"][name][-20:])
        assert_array_equal(points(panel.forecast_line)[1], ahead.loc["b"][name]["forecast"])
    first = ForecastDisplay.from_predictions(history, forecast=ahead)
    assert {ax.get_title(loc="left") for ax in first.axes_} == {"a"}


@pytest.mark.parametrize("as_frame", [True, False])
@pytest.mark.parametrize("argument", ["forecast", "predicted"])
def test_what_a_backtest_returns_is_drawn_as_predicted(as_frame, argument):
    frame = rows_of_backtest()
    result = frame if as_frame else SimpleNamespace(frame=frame, coverage=0.9)
    coverage = {"coverage": 0.9} if as_frame else {}
    history = pd.Series(np.arange(60.0), TIMES, name="y")
    display = ForecastDisplay.from_predictions(history, **{argument: result}, **coverage)
    times, values = points(display.predicted_line_)
    assert_array_equal(np.isnan(values), [False] * 4 + [True] + [False] * 4 + [True] + [False] * 4)
    assert_array_equal(times[[0, -1]], TIMES[[41, 52]].to_numpy())
    assert display.forecast_line_ is None
    assert names(display.ax_) == ["known", "predicted", "held out", "90% interval"]
    (band,) = display.panels_[0].predicted_intervals
    assert len(band.get_paths()) == 3
    # Ten times the four steps, and the rows after the first origin among them.
    assert_array_equal(points(display.history_line_)[1], np.arange(20.0, 60.0))


def test_a_backtest_stands_beside_a_forecast():
    history = pd.Series(np.arange(60.0), TIMES)
    day = [TIMES[-1] + pd.Timedelta(days=1)]
    ahead = pd.DataFrame({"lower": 1.0, "forecast": 2.0, "upper": 3.0}, index=day)
    display = ForecastDisplay.from_predictions(
        history, predicted=rows_of_backtest(), forecast=ahead, coverage=0.9
    )
    assert display.predicted_line_ is not None
    assert display.forecast_line_ is not None
    assert names(display.ax_).count("90% interval") == 1


def test_a_backtest_of_targets_and_series_has_their_panels(shops):
    frame, _ = shops
    rows = pd.concat(
        [
            rows_of_backtest(origins=(20, 24), shop=shop, column=column)
            for shop in "ab"
            for column in ("sold", "lost")
        ]
    )
    display = ForecastDisplay.from_predictions(frame, forecast=rows, series=["a", "b"])
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["a", "a", "b", "b"]
    assert [ax.get_ylabel() for ax in display.axes_] == ["sold", "lost"] * 2
    assert all(np.nanmax(points(panel.predicted_line)[1]) == 1 for panel in display.panels_)


def test_quantiles_are_bands_within_bands_around_the_median():
    history = pd.Series(np.arange(30.0), TIMES[:30])
    levels = (0.9, 0.1, 0.25, 0.5, 0.75)  # in any order
    ahead = pd.DataFrame({level: [10 * level, 20 * level] for level in levels}, TIMES[30:32])
    display = ForecastDisplay.from_predictions(history, forecast=ahead)
    assert_array_equal(points(display.forecast_line_)[1], ahead[0.5])
    wide, narrow = display.panels_[0].intervals
    assert display.interval_ is wide
    assert corners(ahead, 0.1, 0.9) <= band_of(wide)
    assert corners(ahead, 0.25, 0.75) <= band_of(narrow)
    assert narrow.get_facecolor()[0, 3] > wide.get_facecolor()[0, 3]
    assert names(display.ax_) == ["known", "median", "80% interval", "50% interval"]


def test_quantiles_without_the_median_are_bands_alone(weather):
    frame, _ = weather
    ahead = pd.concat(
        {name: pd.DataFrame({0.1: [0.0], 0.9: [1.0]}, TIMES[-1:]) for name in frame}, axis=1
    )
    display = ForecastDisplay.from_predictions(frame, forecast=ahead)
    assert [panel.forecast_line for panel in display.panels_] == [None, None]
    assert [len(panel.intervals) for panel in display.panels_] == [1, 1]


def test_axes_are_drawn_on_in_the_order_given(weather):
    frame, _ = weather
    figure, axes = plt.subplots(1, 2)
    display = ForecastDisplay.from_predictions(frame, ax=axes)
    assert list(display.axes_) == list(axes)
    assert display.figure_ is figure
    assert [ax.get_xlabel() for ax in axes] == ["day", "day"]


@pytest.mark.parametrize("n_given", [1, 3])
def test_axes_of_another_number_are_refused(weather, n_given):
    axes = plt.subplots(1, 3)[1][:n_given]
    ax = axes[0] if n_given == 1 else axes
    with pytest.raises(ValueError, match=f"ax must be an array of 2 Axes, got {n_given}"):
        ForecastDisplay.from_predictions(weather[0], ax=ax)
    with pytest.raises(ValueError, match="ax must be one Axes, got str"):
        ForecastDisplay.from_predictions(weather[0]["rain"], ax="here")


def one_day(**columns):
    return pd.DataFrame({name: [value] for name, value in columns.items()}, TIMES[-1:])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"forecast": one_day(snow=1.0)},
            r"forecast must be a Series, or have a column 'forecast', columns of quantiles, or "
            r"those of history, \['wind', 'rain'\], got \['snow'\]",
        ),
        (
            {"forecast": one_day(forecast=1.0)},
            r"history must be the column that is forecast, got \['wind', 'rain'\]",
        ),
        (
            {"forecast": one_day(wind=1.0, rain=1.0), "fitted": one_day(wind=1.0)["wind"]},
            r"fitted must have columns for \['wind', 'rain'\], got one column",
        ),
        ({"series": "a"}, "series must be None, since there is one, got 'a'"),
        ({"n_history": 0}, "n_history must be a positive integer, got 0"),
        ({"n_history": "all"}, "n_history must be 'auto', None or a positive integer, got 'all'"),
        (
            {"forecast": rows_of_backtest(column="rain"), "predicted": one_day(rain=1.0)},
            "predicted must be None if forecast is of backtest",
        ),
        (
            {"forecast": rows_of_backtest(models=("a", "b"), column="rain")},
            r"predicted must be of one model, got \['a', 'b'\]; frame\[frame\['model'\] == 'a'\]",
        ),
    ],
)
def test_what_cannot_be_placed_is_named(weather, changes, message):
    with pytest.raises(ValueError, match=message):
        ForecastDisplay.from_predictions(weather[0], **changes)
    assert not plt.get_fignums()


def test_quantiles_that_are_no_pairs_are_refused():
    ahead = pd.DataFrame({0.1: [1.0], 0.5: [2.0]}, TIMES[-1:])
    message = r"forecast must have as many quantiles below 0.5 as above, got \[0.1, 0.5\]"
    with pytest.raises(ValueError, match=message):
        ForecastDisplay.from_predictions(pd.Series(1.0, TIMES), forecast=ahead)


def test_series_that_are_not_there_are_named(shops):
    with pytest.raises(ValueError, match=r"series must be a label in \['shop'\], .* got 'z'"):
        ForecastDisplay.from_predictions(shops[0], series=["a", "z"])
    with pytest.raises(ValueError, match=r"series must name at least one of \['shop'\], got \[\]"):
        ForecastDisplay.from_predictions(shops[0], series=[])
