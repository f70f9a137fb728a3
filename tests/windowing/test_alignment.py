"""Targets that are not shifted are noticed, and the names of those that are."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    SeriesWarning,
    load_airline_passengers,
    make_supervised,
)
from skl_lstm.windowing.alignment import (
    column_continued,
    equal_column,
    names_of_targets,
    same_shape,
    standardized,
)

RNG = np.random.default_rng(0)
WALK = RNG.normal(size=(40, 2)).cumsum(axis=0)


def linear():
    return make_pipeline(LookbackWindower(3, padding="edge"), LinearRegression())


def network():
    return make_pipeline(LookbackWindower(3), LSTMForecaster(epochs=1, random_state=0))


def scaled(scaler):
    return TransformedTargetRegressor(
        make_pipeline(scaler, LookbackWindower(3), LSTMForecaster(epochs=1, random_state=0)),
        transformer=scaler,
    )


@pytest.mark.parametrize(
    "model",
    [linear(), network(), scaled(MinMaxScaler()), scaled(StandardScaler())],
    ids=["linear", "network", "min and max", "standard"],
)
def test_y_that_is_not_shifted_is_noticed_in_fit(model):
    series = load_airline_passengers().to_frame() / 100
    with pytest.warns(
        SeriesWarning,
        match=r"^y equals column '.*' of the same row of X, not of the row after it. A model that "
        r"learns this repeats its input: make_supervised\(series\) shifts y$",
    ):
        model.fit(series, series["passengers"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", SeriesWarning)
        model.fit(*make_supervised(series))


def test_windows_of_three_dimensions_are_looked_at_too():
    windows = np.stack([WALK[t - 2 : t + 1] for t in range(2, 40)])
    with pytest.warns(SeriesWarning, match="^y equals column 1 of the same row of X"):
        LSTMForecaster(epochs=1).fit(windows, WALK[2:, 1])


@pytest.mark.parametrize(
    ("y", "column"),
    [
        (WALK[:, 1], 1),
        (WALK[:, ::-1], 1),
        (WALK[:, 0] * (1 + 1e-14), 0),
        (7 * WALK[:, 0] - 3, 0),
        (WALK[:, 0] + 1e-3 * WALK[:, 1], None),
        (np.roll(WALK[:, 0], -1), None),
        (list(WALK[:, 0]), 0),
        (["up", "down"] * 20, None),
    ],
)
def test_the_equal_column_is_found(y, column):
    assert equal_column(y, WALK) == column


@pytest.mark.parametrize("straight", [np.zeros(40), np.arange(40.0), 1.1 ** np.arange(40)])
def test_what_looks_the_same_after_a_shift_proves_nothing(straight):
    assert equal_column(straight, straight[:, np.newaxis]) is None


def test_a_missing_target_does_not_hide_the_equal_column():
    y = WALK[:, 0].copy()
    y[3] = np.nan
    assert equal_column(y, WALK) == 0


@pytest.mark.parametrize("value", [3.0, 0.999, 5.49, -0.1])
def test_a_column_that_does_not_change_equals_nothing(value):
    n = 30  # of so many equal values, NumPy finds a spread by rounding
    assert equal_column(WALK[:n, 0], np.full((n, 1), value)) is None


def test_the_column_that_goes_on_is_found():
    assert column_continued(WALK[1:, 1], WALK[:-1]) == 1
    assert column_continued(WALK[:, 1], WALK) is None


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (pd.Series([1.0], name="sold"), ["sold"]),
        (pd.Series([1.0]), None),
        (np.ones((3, 2)), None),
        (pd.DataFrame(columns=["sold", "price"]), ["sold", "price"]),
        (pd.DataFrame(columns=["sold_step1", "sold_step2"]), ["sold"]),
        (pd.DataFrame(columns=["a_step1", "b_step1", "a_step2", "b_step2"]), ["a", "b"]),
        (pd.DataFrame(columns=["sold_step1", "sold_step3"]), None),
        (pd.DataFrame(columns=[0, 1]), None),
    ],
)
def test_targets_tell_their_names(y, names):
    assert names_of_targets(y) == names


@pytest.mark.parametrize("horizon", [1, 2, 3])
@pytest.mark.parametrize("target", ["b", ["b", "a"]])
def test_names_of_make_supervised_are_read_back(horizon, target):
    frame = pd.DataFrame(WALK, columns=["a", "b"])
    _, y = make_supervised(frame, target=target, horizon=horizon)
    assert names_of_targets(y) == ([target] if isinstance(target, str) else target)


@pytest.mark.parametrize("shift", [1, -2, -12])
def test_y_shifted_otherwise_than_by_one_row_is_noticed(shift):
    frame = load_airline_passengers().to_frame()
    y = frame["passengers"].shift(shift).dropna()
    with pytest.warns(
        SeriesWarning,
        match=r"^y has values of column 'passengers', but not those of the row after each row of "
        r"X; make_supervised\(series\) shifts y by one row, or by horizon rows$",
    ):
        linear().fit(frame.loc[y.index], y)


def test_y_of_folds_with_a_seam_is_taken_without_a_word():
    X, y = make_supervised(load_airline_passengers())
    kept = np.r_[0:40, 60:143]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LookbackWindower(3, freq="rows").fit(X.iloc[kept], y.iloc[kept])


@pytest.mark.parametrize("value", [0.999, 5.49, 1e9, -0.1])
def test_equal_values_have_no_shape(value):
    assert not standardized(np.full(7, value)).any()
    assert not standardized(np.full(7, value, dtype=np.float32)).any()
    assert same_shape(np.full(7, value), np.full(7, 3.0))
