"""Pictures show each value at the time it is of, and name what they show."""

import subprocess
import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import ConciseDateFormatter, date2num
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    ForecastDisplay,
    LookbackWindower,
    LossCurveDisplay,
    LSTMClassifier,
    LSTMForecaster,
    forecast,
    forecast_interval,
    load_airline_passengers,
    make_supervised,
)

N_TRAIN = 100


@pytest.fixture(autouse=True)
def _figures_are_closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def series():
    return load_airline_passengers()


def linear():
    return make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression())


def fitted_on(series, horizon=1, n_train=N_TRAIN):
    X, y = make_supervised(series, horizon)
    return linear().fit(X[:n_train], y[:n_train]), X, y


def points(line):
    return line.get_xdata(orig=True), line.get_ydata()


def names(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_each_value_stands_at_the_time_it_is_of(series):
    model, X, y = fitted_on(series)
    display = ForecastDisplay.from_estimator(model, X, y, n_train=N_TRAIN, steps=12)
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
    assert names(display.ax_) == ["known", "fitted", "predicted", "forecast"]
    assert display.figure_ is display.ax_.figure


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
    display = ForecastDisplay.from_estimator(model, X, y, steps=1)
    assert_array_equal(points(display.history_line_)[0], series.index.to_numpy())
    assert points(display.forecast_line_)[0] == np.datetime64("1961-01-01")


def test_dates_of_a_zone_are_shown_in_it():
    hours = pd.date_range("2024-03-29", periods=60, freq="h", tz="Europe/Berlin")
    display = ForecastDisplay.from_predictions(pd.Series(np.arange(60.0), hours))
    display.figure_.draw_without_rendering()
    assert points(display.history_line_)[0][0] == np.datetime64("2024-03-28T23:00")
    shown = {label.get_text() for label in display.ax_.get_xticklabels()}
    assert {"12:00", "Mar-30"} <= shown <= {"12:00", "Mar-29", "Mar-30", "Mar-31"}


def test_rows_without_dates_are_numbered(series):
    model, X, y = fitted_on(series.to_numpy())
    display = ForecastDisplay.from_estimator(model, X, y, n_train=N_TRAIN, steps=2)
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
    display = ForecastDisplay.from_estimator(model, X, y, steps=6)
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
    with pytest.raises(ValueError, match="steps takes X of one column and y that goes on with"):
        ForecastDisplay.from_estimator(model, X, y, steps=3)
    future = pd.DataFrame({"month": [1, 2, 3]})
    ahead = forecast(model, frame, 3, future=future)
    drawn = ForecastDisplay.from_predictions(series, forecast=ahead)
    assert_array_equal(points(drawn.forecast_line_)[1], ahead)


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
    assert display.forecast_line_.get_marker() == "."
    assert display.history_line_.get_marker() == "None"
    gaps = series.astype(float)
    gaps.iloc[[3, 5]] = np.nan
    line = ForecastDisplay.from_predictions(gaps).history_line_
    assert line.get_markevery() == [4]


@pytest.mark.parametrize("size", [(3.3, 2.5), (6.4, 4.8), (12.0, 3.0)])
def test_the_legend_stands_outside_and_inside_the_figure_and_no_labels_overlap(size, series):
    model, X, y = fitted_on(series)
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    display = ForecastDisplay.from_estimator(
        model, X, y, n_train=N_TRAIN, steps=12, coverage=0.9, ax=ax
    )
    assert display.ax_ is ax
    figure.draw_without_rendering()
    legend, axes = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert legend.y0 >= axes.y1
    assert figure.bbox.y1 >= legend.y1
    assert figure.bbox.x1 >= legend.x1
    for axis, start, end in ((ax.xaxis, "x0", "x1"), (ax.yaxis, "y0", "y1")):
        extents = [label.get_window_extent() for label in axis.get_ticklabels()]
        for one, other in pairwise(extents):
            assert getattr(one, end) < getattr(other, start)
        assert len(extents) >= 3


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6, 1e12])
def test_values_of_any_size_are_written_out_beside_the_axis(scale, series):
    forecasts = ForecastDisplay.from_predictions(series * scale)
    losses = LossCurveDisplay.from_histories({"a": {"loss": [2.0 * scale, scale]}})
    for display in (forecasts, losses):
        display.figure_.draw_without_rendering()
        axis = display.ax_.yaxis
        assert axis.get_offset_text().get_text() == ""
        shown = [label.get_text().replace(",", "") for label in axis.get_ticklabels()]
        assert_allclose(
            [float(text.replace("\u2212", "-")) for text in shown], axis.get_ticklocs()
        )


def test_a_classifier_has_no_forecast_to_draw(series):
    X, y = make_supervised(series)
    model = make_pipeline(MinMaxScaler(), LogisticRegression()).fit(X, y > 300)
    with pytest.raises(ValueError, match="estimator must be a regressor, got Pipeline"):
        ForecastDisplay.from_estimator(model, X, y)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"coverage": 0.9}, "coverage takes steps to draw an interval of, got 0.9 alone"),
        ({"y": [1.0]}, "X and y must be as long, got 143 and 1 rows"),
        ({"n_train": -1}, "n_train must be an integer of at least 0, got -1"),
        ({"n_train": 144}, "n_train must be at most 143, the rows of X, got 144"),
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
        ({"history": [1.0, 2.0]}, "history must be a Series, got list"),
        ({"fitted": np.ones(3)}, "fitted must be a Series, got ndarray"),
        (
            {"predicted": pd.Series([1.0, 2.0])},
            "all be indexed by dates or periods, or all by numbers; got RangeIndex of int64 for "
            "predicted",
        ),
        ({"history": pd.Series([1.0], ["a"])}, "got Index of (object|str) for history"),
        (
            {"forecast": pd.DataFrame({"a": [1.0]})},
            r"forecast must be a Series or have a column 'forecast', got \['a'\]",
        ),
    ],
)
def test_what_has_no_place_in_time_is_refused(changes, message, series):
    with pytest.raises(ValueError, match=message):
        ForecastDisplay.from_predictions(**{"history": series, **changes})
    assert not plt.get_fignums()


def test_an_unfitted_model_is_not_drawn(series):
    with pytest.raises(NotFittedError):
        ForecastDisplay.from_estimator(linear(), *make_supervised(series))
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(LSTMForecaster())


def test_without_matplotlib_its_name_is_told(series, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="needs matplotlib: pip install matplotlib"):
        ForecastDisplay.from_predictions(series)
    with pytest.raises(ImportError, match="LossCurveDisplay needs matplotlib"):
        LossCurveDisplay.from_histories({"a": {"loss": [1.0]}})


def test_drawing_leaves_the_backend_that_was_chosen():
    program = (
        "import matplotlib\n"
        "matplotlib.use('svg')\n"
        "import sys, skl_lstm\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "skl_lstm.LossCurveDisplay.from_histories({'a': {'loss': [1.0]}})\n"
        "assert matplotlib.get_backend() == 'svg'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def lstm(**parameters):
    settings = {"units": 2, "epochs": 3, "validation_split": 0.2, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


def composed(model):
    return TransformedTargetRegressor(
        make_pipeline(MinMaxScaler(), LookbackWindower(3), model), transformer=MinMaxScaler()
    )


@pytest.fixture(scope="module")
def trained(series):
    return composed(lstm()).fit(*make_supervised(series))


@pytest.mark.parametrize("inside", ["forecaster", "pipeline", "target", "search"])
def test_the_losses_of_a_model_are_found_wherever_it_stands(inside, trained, series):
    if inside == "search":
        X, y = make_supervised(series)
        model = GridSearchCV(trained, {"regressor__lstmforecaster__units": [3]}, cv=2).fit(X, y)
        forecaster = model.best_estimator_.regressor_[-1]
    else:
        forecaster = trained.regressor_[-1]
        model = {"target": trained, "pipeline": trained.regressor_, "forecaster": forecaster}[
            inside
        ]
    display = LossCurveDisplay.from_estimator(model)
    for lines, name in (
        (display.training_lines_, "loss"),
        (display.validation_lines_, "val_loss"),
    ):
        epochs, losses = points(lines["training"])
        assert_array_equal(epochs, [1, 2, 3])
        assert_array_equal(losses, forecaster.history_[name])
    assert names(display.ax_) == ["training", "validation"]
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "loss (mse)"


def test_several_models_are_drawn_in_one_picture(series):
    windows = LookbackWindower(3).fit_transform(series.to_frame() / 1000)
    models = {
        "short": lstm(epochs=1).fit(windows, series / 1000),
        "long": lstm(epochs=5, loss="mae", validation_split=0.0).fit(windows, series / 1000),
    }
    ax = plt.figure().add_subplot()
    display = LossCurveDisplay.from_estimator(models, ax=ax)
    assert display.ax_ is ax
    assert names(ax) == ["short", "long", "validation"]
    assert list(display.validation_lines_) == ["short"]
    assert ax.get_ylabel() == "loss"
    assert display.training_lines_["short"].get_marker() == "."
    assert (
        display.training_lines_["long"].get_color() != display.training_lines_["short"].get_color()
    )
    numbered = LossCurveDisplay.from_estimator(list(models.values()))
    assert list(numbered.training_lines_) == ["model 1", "model 2"]


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([1.0, 0.1], "log"), ([1.0, 0.2], "linear"), ([1.0, -0.1], "linear"), ([np.nan], "linear")],
)
def test_losses_of_different_sizes_are_all_seen(losses, scale):
    display = LossCurveDisplay.from_histories({"a": {"loss": losses}})
    assert display.ax_.get_yscale() == scale


@pytest.mark.parametrize("n_epochs", [1, 2, 500])
def test_epochs_are_whole(n_epochs):
    display = LossCurveDisplay.from_histories({"a": {"loss": np.linspace(1, 2, n_epochs)}})
    ticks = display.ax_.get_xticks()
    assert_array_equal(ticks, ticks.round())


def test_a_classifier_is_drawn_too(series):
    windows = LookbackWindower(3).fit_transform(series.to_frame() / 1000)
    classifier = LSTMClassifier(units=2, epochs=2).fit(windows, series > 300)
    assert LossCurveDisplay.from_estimator(classifier).ax_.get_ylabel() == "loss"


def test_what_has_no_losses_is_refused(series):
    model, *_ = fitted_on(series)
    message = "must hold one LSTM estimator, got Pipeline that holds none"
    with pytest.raises(ValueError, match=message):
        LossCurveDisplay.from_estimator(model)
    with pytest.raises(ValueError, match="histories must hold at least one model's, got none"):
        LossCurveDisplay.from_estimator({})
