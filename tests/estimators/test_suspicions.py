"""Input that hardly is what the user means is said to be so, and trained on."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skl_lstm import (
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    SeriesScaledRegressor,
    SeriesWarning,
    make_supervised,
)

WALK = np.random.default_rng(0).normal(size=(60, 3)).cumsum(axis=0) / 10
FRAME = pd.DataFrame(WALK, columns=["load", "temp", "wind"])


def forecaster(**parameters):
    return LSTMForecaster(**{"epochs": 1, "random_state": 0, "units": 2, **parameters})


def warned(model, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    return [str(each.message) for each in caught if issubclass(each.category, SeriesWarning)]


def test_targets_out_of_reach_are_said_to_need_scaling():
    X, y = make_supervised(1000 + 50 * WALK[:, :1])
    model = make_pipeline(LookbackWindower(3), forecaster())
    assert warned(model, X, y) == [
        "y has values of about 1000, but a network starts with outputs of about 1 and takes many "
        "epochs to reach them: set window_scaling='last', or scale X and y"
    ]
    assert not warned(clone(model).set_params(lstmforecaster__window_scaling="last"), X, y)
    assert not warned(model, X / 100, y / 100)


LARGE_INPUTS = (
    "X has values of about 1000 in {}: they hold the gates of an LSTM open or shut, so that it "
    "learns little from them. Scale them before the windows, for instance with StandardScaler"
)


@pytest.mark.parametrize("scaling", [None, "last"])
@pytest.mark.parametrize("reshape_mode", ["timesteps", "features"])
def test_columns_that_saturate_the_network_are_named(scaling, reshape_mode):
    frame = FRAME.assign(pressure=1000 + 10 * FRAME["wind"])
    X, y = make_supervised(frame, target="load")
    lstm = forecaster(window_scaling=scaling, reshape_mode=reshape_mode)
    model = make_pipeline(LookbackWindower(3), lstm)
    assert warned(model, X, y) == [LARGE_INPUTS.format("column 'pressure' of a step")]
    assert not warned(model, X.assign(pressure=X["pressure"] / 100), y)
    several = X.assign(wind=X["pressure"])
    told = LARGE_INPUTS.format("2 columns of a step, such as 'wind'")
    assert warned(model, several, y) == [told]


def test_raw_inputs_beside_scaled_targets_are_noticed():
    X, y = make_supervised(1000 + 50 * WALK[:, :1])
    model = make_pipeline(LookbackWindower(3), forecaster())
    scaled = TransformedTargetRegressor(model, transformer=StandardScaler())
    assert warned(scaled, X, y) == [LARGE_INPUTS.format("column 'x0' of a step")]
    assert not warned(scaled, X / 100, y)


def test_large_inputs_of_a_classifier_are_noticed():
    X, labels = 1000 + 50 * np.random.default_rng(0).normal(size=(40, 5, 2)), np.arange(40) % 2
    message = LARGE_INPUTS.format("2 columns of a step, such as 0")
    assert warned(LSTMClassifier(epochs=1), X, labels) == [message]
    assert not warned(LSTMClassifier(epochs=1), X / 100, labels)


@pytest.mark.parametrize("as_array", [False, True])
def test_columns_without_a_windower_are_said_to_be_read_as_time_steps(as_array):
    X, y = make_supervised(FRAME, target="load")
    X = X.to_numpy() if as_array else X
    assert warned(forecaster(), X, y) == [
        "X has 3 columns that are not lags of one series, but they are read as 3 lags of one: put "
        "LookbackWindower right before the forecaster, or set features_per_step"
    ]
    assert not warned(forecaster(features_per_step=3), X, y)
    assert not warned(forecaster(reshape_mode="features"), X, y)
    assert not warned(LSTMClassifier(epochs=1), X, np.arange(59) % 2)


@pytest.mark.parametrize("features_per_step", ["auto", 1])
def test_windows_of_several_columns_without_their_number_are_noticed(features_per_step):
    X, y = make_supervised(FRAME, target="load")
    windows = StandardScaler().fit_transform(LookbackWindower(4).fit_transform(X))
    assert warned(forecaster(features_per_step=features_per_step), windows[3:], y[3:]) == [
        "the rows of X overlap like windows of a series of 3 columns, but they are read as 12 "
        "lags of one: set features_per_step=3"
    ]
    assert not warned(forecaster(features_per_step=3), windows, y)


@pytest.mark.parametrize("scaling", ["last", "mean", "standard"])
@pytest.mark.parametrize("reshape_mode", ["timesteps", "features"])
def test_columns_without_a_windower_are_noticed_however_they_are_normalized(scaling, reshape_mode):
    X, y = make_supervised(FRAME + 5, target="load")
    model = forecaster(window_scaling=scaling, reshape_mode=reshape_mode)
    (message,) = warned(model, X, y)
    assert message.startswith("X has 3 columns that are not lags of one series")
    imputed = make_pipeline(LookbackWindower(4), SimpleImputer(), model)
    (message,) = warned(imputed, X, y)
    assert message.endswith("read as 12 lags of one: set features_per_step=3")


@pytest.mark.parametrize("scaling", ["last", "standard"])
def test_windows_of_one_value_leave_nothing_to_see(scaling):
    X, y = make_supervised(WALK[:, :1])
    model = make_pipeline(LookbackWindower(), forecaster(window_scaling=scaling))
    assert warned(model, X, y) == [
        f"X has windows of a single value, of which window_scaling={scaling!r} leaves nothing: "
        "put LookbackWindower before the forecaster, with look_back > 1"
    ]


def test_negative_values_divided_by_their_mean_size_are_noticed():
    X, y = make_supervised(WALK[:, :1] - WALK[:, :1].mean())
    model = make_pipeline(LookbackWindower(4), forecaster(window_scaling="mean"))
    assert warned(model, X, y) == [
        "y has negative values, for which window_scaling='mean' is not made, because it divides "
        "by the mean size of the values of a window: set 'last' or 'standard'"
    ]
    assert not warned(model, X + 9, y + 9)


@pytest.mark.parametrize("blocks", ["two windowers", "windows and others"])
def test_windows_beside_others_are_noticed_behind_a_scaler(blocks):
    X, y = make_supervised(FRAME, target="load")
    second = (LookbackWindower(5), ["temp"])
    joined = make_column_transformer(
        (LookbackWindower(5), ["load"]),
        second if blocks == "two windowers" else ("passthrough", ["temp", "wind"]),
    )
    (message,) = warned(make_pipeline(joined, StandardScaler(), forecaster()), X, y)
    assert message == (
        "the columns of X look like windows beside each other, or beside other columns, but they "
        f"are read as {10 if blocks == 'two windowers' else 7} lags of one series: put "
        "LookbackWindower right before the forecaster"
    )


def test_plain_windows_of_one_column_are_taken_without_a_word():
    X, y = make_supervised(WALK[:, :1])
    windows = LookbackWindower(4).fit_transform(X)
    assert not warned(forecaster(), np.array(windows)[3:], y[3:])
    assert not warned(forecaster(), pd.DataFrame(windows, columns=list("abcd"))[3:], y[3:])


def test_rows_that_are_sequences_of_their_own_are_taken_without_a_word():
    rng = np.random.default_rng(0)
    assert not warned(forecaster(), rng.normal(size=(50, 8)), rng.normal(size=50))


def test_many_rows_left_out_are_told():
    series = WALK[:, :1].copy()
    X, y = make_supervised(series)
    assert not warned(make_pipeline(LookbackWindower(30), forecaster()), X, y)
    series[[25, 40]] = np.nan
    X, y = make_supervised(series)
    assert warned(make_pipeline(LookbackWindower(6), forecaster()), X, y) == [
        "X and y have 14 of 59 rows with a missing lag or target, which are left out of training; "
        "LookbackWindower(fill_missing='forward') fills lags"
    ]
    filled = LookbackWindower(6, fill_missing="forward")
    assert not warned(make_pipeline(filled, forecaster()), X, y)


def panel_of(sizes):
    """Random walks of some sizes around levels of the same sizes, day by day."""
    days = pd.date_range("2024-01-01", periods=30, name="day")
    walks = np.random.default_rng(0).normal(size=(len(sizes), 30)).cumsum(axis=1)
    series = {
        f"shop {i}": pd.DataFrame({"sold": size * (20 + walk)}, index=days)
        for i, (size, walk) in enumerate(zip(sizes, walks, strict=True))
    }
    return pd.concat(series, names=["shop", "day"]).sort_index(level="day")


@pytest.mark.parametrize(
    ("method", "n_small", "advice"),
    [
        ("last", 2, "set window_scaling='standard' or 'mean', or put SeriesScaledRegressor"),
        ("standard", 1, "put SeriesScaledRegressor"),
        ("mean", 1, "put SeriesScaledRegressor"),
    ],
)
def test_series_too_small_to_be_learned_beside_others_are_told(method, n_small, advice):
    X, y = make_supervised(panel_of([1, 2, 3, 0.07, 0.002]), group="shop")
    inner = forecaster(window_scaling=method)
    model = make_pipeline(LookbackWindower(5, group="shop"), inner)
    assert warned(model, X, y) == [
        f"X has {n_small} of 5 series whose targets are less than a tenth of those of a series in "
        f"the middle, so that training hardly regards them: {advice} around the model"
    ]
    scaled = make_pipeline(LookbackWindower(5, group="shop"), forecaster())
    assert not warned(SeriesScaledRegressor(scaled, group="shop"), X, y)


@pytest.mark.parametrize("method", ["last", "standard", "mean"])
def test_series_of_like_size_and_one_that_does_not_change_are_taken_without_a_word(method):
    panel = panel_of([1, 2, 3, 4, 5])
    panel.loc["shop 0", "sold"] = 7.0
    X, y = make_supervised(panel, group="shop")
    model = make_pipeline(LookbackWindower(5, group="shop"), forecaster(window_scaling=method))
    assert not warned(model, X, y)


def test_rows_that_are_not_known_are_said_to_need_forecast():
    X, y = make_supervised(WALK[:, :1])
    model = make_pipeline(LookbackWindower(4), forecaster()).fit(X, y)
    unknown = np.concatenate([X[-20:], np.full((3, 1), np.nan)])
    with pytest.warns(
        SeriesWarning,
        match=r"^X has no values of its own in its last 3 rows, so that predict continues from "
        r"older ones; forecast\(model, history, steps\) forecasts rows that are not known$",
    ):
        model.predict(unknown)


@pytest.mark.parametrize("factor", [1.01, 3.0])
def test_a_target_in_other_units_than_its_column_is_noticed(factor):
    X, y = make_supervised(5 + WALK[:, :1])
    model = make_pipeline(LookbackWindower(4), forecaster(window_scaling="last"))
    (message,) = warned(model, X * factor - 1, y)
    assert message.startswith("y has other units than the windows: it has values from ")
    assert not warned(model, X, y)


def test_the_warnings_can_be_filtered_by_their_class():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SeriesWarning)
        forecaster().fit(FRAME, FRAME["load"])
