"""Windows say which columns a time step has, as long as they are those windows."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.utils import _safe_indexing

from skl_lstm import LookbackWindower, LSTMForecaster, WindowArray
from skl_lstm.windowing.window_array import step_columns, step_layout

SERIES = pd.DataFrame({"load": np.arange(6.0), "temp": -np.arange(6.0)})
COLUMNS = ("load", "temp")


def windows(look_back=3):
    return LookbackWindower(look_back).fit_transform(SERIES)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w,
        lambda w: w[2:4],
        lambda w: w[[3, 1]],
        lambda w: w[w[:, -1] < -2],
        lambda w: w.take([1, 2], axis=0),
        lambda w: _safe_indexing(w, [4, 5]),
        lambda w: w.copy(),
        copy.deepcopy,
        lambda w: pickle.loads(pickle.dumps(w)),
        lambda w: w.astype(np.float32),
        lambda w: np.hstack([w]),
        lambda w: np.vstack([w, w]),
    ],
)
@pytest.mark.parametrize("look_back", [1, 3])
def test_selected_rows_and_copies_keep_the_columns(change, look_back):
    assert step_columns(change(windows(look_back))) == COLUMNS


def test_files_keep_the_columns(tmp_path):
    joblib.dump(windows(), tmp_path / "windows")
    again = joblib.load(tmp_path / "windows")
    assert_array_equal(again, windows())
    assert again.step_columns == COLUMNS


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w[:, ::-1],
        lambda w: w[:, 2:],
        lambda w: w[:, 0],
        lambda w: w[0],
        lambda w: w.reshape(6, 3, 2),
        np.array,
    ],
)
def test_arrays_of_another_shape_do_not_tell(change):
    assert step_columns(change(windows())) is None


@pytest.mark.parametrize(
    "others",
    [[SERIES], [np.zeros((6, 1)), windows()]],
    ids=["frame", "array"],
)
def test_windows_joined_with_other_columns_say_so(others):
    assert step_columns(np.hstack([windows(), *others])) == ()


def test_an_empty_part_beside_windows_changes_nothing():
    assert step_columns(np.hstack([np.zeros((6, 0)), windows()])) == COLUMNS


@pytest.mark.parametrize(
    ("transformer", "columns"),
    [
        (FeatureUnion([("w", LookbackWindower(2))]), COLUMNS),
        (ColumnTransformer([("w", LookbackWindower(2), ["temp"])]), ("temp",)),
        (ColumnTransformer([("w", LookbackWindower(2), ["temp"])], remainder="passthrough"), ()),
        (FeatureUnion([("short", LookbackWindower(1)), ("long", LookbackWindower(3))]), ()),
    ],
    ids=["union", "columns", "columns and others", "two windowers"],
)
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_scikit_learn_joins_tell_as_much(transformer, columns, output):
    joined = transformer.set_output(transform=output).fit_transform(SERIES)
    told = step_columns(joined)
    assert told == columns or (
        output == "pandas" and [name.rpartition("__")[2] for name in told] == list(columns)
    )


def test_names_of_lags_tell_under_set_output():
    windower = LookbackWindower(3).set_output(transform="pandas")
    assert step_columns(windower.fit_transform(SERIES)) == COLUMNS
    assert step_columns(windower.fit_transform(SERIES)[["load_lag1", "load_lag0"]]) == ("load",)
    assert step_columns(windower.fit_transform(SERIES)[["load_lag0", "temp_lag1"]]) == ()
    columns, order = step_layout(windower.fit_transform(SERIES)[["load_lag0", "load_lag1"]])
    assert columns == ("load",)
    assert_array_equal(order, [1, 0])
    assert step_columns(SERIES) is None


def test_lags_named_by_hand_tell_where_they_are_complete():
    assert step_columns(pd.DataFrame(columns=["load_lag3", "load_lag2", "load_lag1"])) == ("load",)
    assert step_columns(pd.DataFrame(columns=["load_lag3", "load_lag1"])) == ()


def test_windows_print_as_an_array():
    assert repr(windows()[:1]) == "array([[nan, nan, nan, nan,  0., -0.]])"


def test_windows_of_an_array_number_their_columns():
    assert isinstance(windows(), WindowArray)
    told = LookbackWindower(2).fit_transform(SERIES.to_numpy()).step_columns
    assert told == ("x0", "x1")


def two_windowers(output="default", second=2):
    transformers = [
        ("load", LookbackWindower(2), ["load"]),
        ("temp", LookbackWindower(second), ["temp"]),
    ]
    return ColumnTransformer(transformers, verbose_feature_names_out=False).set_output(
        transform=output
    )


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_windows_of_two_windowers_are_read_step_by_step(output):
    joined = two_windowers(output).fit_transform(SERIES)
    columns, order = step_layout(joined)
    assert columns == COLUMNS
    assert_array_equal(np.asarray(joined)[:, order], windows(2))


def test_windows_of_different_lengths_are_no_time_steps():
    assert step_columns(two_windowers(second=3).fit_transform(SERIES)) == ()


@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize("scaling", [None, "last"])
def test_a_forecaster_behind_two_windowers_is_that_behind_one(output, scaling):
    rng = np.random.default_rng(0)
    series = pd.DataFrame(rng.normal(size=(40, 2)), columns=["load", "temp"])
    X, y = series[:-1], series["load"].to_numpy()[1:]
    forecaster = LSTMForecaster(
        units=3, epochs=2, random_state=0, window_scaling=scaling, target=scaling and "load"
    )
    one = make_pipeline(LookbackWindower(2), forecaster).fit(X, y)
    two = make_pipeline(two_windowers(output), forecaster).fit(X, y)
    assert_array_equal(two.predict(X), one.predict(X))
