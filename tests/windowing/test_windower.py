"""Windows hold the past of their row and nothing else, in training and after it."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skl_lstm import LookbackWindower, SeriesWarning


def windows_by_loop(series, look_back, before):
    """Each row's window, element by element; `before` stands ahead of the series."""
    rows = [*before, *series]
    return np.array(
        [
            np.concatenate(rows[t : t + look_back])
            for t in range(len(before) - look_back + 1, len(before) - look_back + 1 + len(series))
        ]
    )


def numbers(n_rows, n_columns=1):
    return np.random.default_rng(n_rows).normal(size=(n_rows, n_columns))


sizes = st.tuples(st.integers(1, 6), st.integers(0, 12), st.integers(1, 3), st.integers(1, 9))


@given(sizes)
def test_training_rows_see_their_own_past_and_nan_before_it(size):
    look_back, n_more, n_columns, _ = size
    series = numbers(look_back + n_more, n_columns)
    nothing = np.full((look_back - 1, n_columns), np.nan)
    windower = LookbackWindower(look_back=look_back)
    expected = windows_by_loop(series, look_back, nothing)
    assert_array_equal(windower.fit_transform(series), expected)
    assert_array_equal(windower.transform(series), expected)


@given(sizes)
def test_first_rows_of_a_test_fold_see_the_training_tail(size):
    look_back, n_more, n_columns, n_test = size
    series = numbers(look_back + n_more + n_test, n_columns)
    train, test = series[:-n_test], series[-n_test:]
    windower = LookbackWindower(look_back=look_back).fit(train)
    tail = train[len(train) - look_back + 1 :]
    assert_array_equal(windower.transform(test), windows_by_loop(test, look_back, tail))


@given(sizes, st.sampled_from(["auto", "fit", "none"]), st.sampled_from(["nan", "edge"]))
def test_a_window_never_changes_when_later_rows_do(size, context, padding):
    look_back, n_more, n_columns, n_test = size
    train, test = numbers(look_back + n_more, n_columns), numbers(20 + n_test, n_columns)
    windower = LookbackWindower(look_back, context=context, padding=padding).fit(train)
    changed = test.copy()
    changed[n_test:] += 1.0
    assert_array_equal(windower.transform(test)[:n_test], windower.transform(changed)[:n_test])


def test_padding_edge_repeats_the_first_row():
    windows = LookbackWindower(look_back=3, padding="edge").fit_transform([[1.0], [2.0], [3.0]])
    assert_array_equal(windows, [[1, 1, 1], [1, 1, 2], [1, 2, 3]])


@pytest.mark.parametrize(
    ("context", "first_of_test", "first_of_train"),
    [
        ("auto", [3, 4, 9], [np.nan, np.nan, 1]),
        ("fit", [3, 4, 9], [3, 4, 1]),
        ("none", [np.nan, np.nan, 9], [np.nan, np.nan, 1]),
    ],
)
def test_context_says_what_stands_before_the_first_row(context, first_of_test, first_of_train):
    train = np.array([[1.0], [2.0], [3.0], [4.0]])
    windower = LookbackWindower(look_back=3, context=context)
    assert_array_equal(windower.fit_transform(train)[0], [np.nan, np.nan, 1])
    assert_array_equal(windower.transform([[9.0], [8.0]])[0], first_of_test)
    assert_array_equal(windower.transform(train)[0], first_of_train)


def test_the_training_series_is_known_again_when_rounding_changed_it_or_it_has_grown():
    train = numbers(12) * 1e6
    windower = LookbackWindower(look_back=4).fit(train)
    longer = np.concatenate([train * (1 + 1e-12), numbers(5)])
    assert np.isnan(windower.transform(longer)[0, :3]).all()


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (np.column_stack([np.full(20, 1e9), np.arange(20.0)]), [[1e9, 500], [1e9, 501]]),
        (101325 + np.arange(20.0)[:, None] * 0.001, 101325.02 + np.arange(2.0)[:, None] * 0.001),
    ],
    ids=["a large column beside a small one", "small changes of a large value"],
)
def test_a_test_fold_near_the_first_rows_is_not_taken_for_them(train, test):
    windower = LookbackWindower(look_back=2).fit(train)
    assert_array_equal(windower.transform(test)[0], np.concatenate([train[-1], test[0]]))


@pytest.mark.parametrize("look_back", [3, 7])
def test_a_test_fold_that_begins_like_the_training_series_follows_it(look_back):
    t = np.arange(200)
    night = np.maximum(np.sin(t / 24 * 2 * np.pi - 2), 0) * np.random.default_rng(0).random(200)
    series = np.where(t % 24 < 7, 0.0, night)[:, np.newaxis]
    windower = LookbackWindower(look_back).fit(series[:120])
    assert_array_equal(windower.transform(series[:60]), windower.transform(series)[:60])
    before = series[120 - look_back + 1 : 120]
    assert_array_equal(
        windower.transform(series[120:]), windows_by_loop(series[120:], look_back, before)
    )


def test_a_fold_of_zeros_follows_a_series_that_begins_with_zeros():
    counts = np.zeros((60, 1))
    counts[20:30, 0] = np.arange(10)
    windower = LookbackWindower(5).fit(counts[:30])
    assert_array_equal(windower.transform(counts[30:36])[0], [6, 7, 8, 9, 0])


@pytest.mark.parametrize("n_rows", [3, 5, 24])
def test_the_last_training_rows_lie_inside_them(n_rows):
    series = numbers(100)
    windower = LookbackWindower(6).fit(series)
    with pytest.warns(
        SeriesWarning,
        match=r"^X ends with the last rows seen in fit, and so lies inside them: its first "
        r"windows lack the lags that are not known. Pass the rows before it too$",
    ):
        windows = windower.transform(series[-n_rows:])
    exact = windower.transform(series)[-n_rows:]
    seen = ~np.isnan(windows)
    assert_array_equal(windows[seen], exact[seen])
    assert seen[5:].all()
    assert n_rows == 24 or seen[:, n_rows - 1 :].any()


def test_rows_one_by_one_are_exact_with_their_past():
    series = numbers(120)
    windower = LookbackWindower(6).fit(series[:100])
    whole = windower.transform(series)
    for i in range(100, 110):
        assert_array_equal(windower.transform(series[i - 5 : i + 1])[-1], whole[i])


def test_a_shorter_input_than_a_window_follows_the_training_rows():
    train = np.array([[0.0], [1.0], [2.0]])
    windower = LookbackWindower(look_back=3).fit(train)
    assert_array_equal(windower.transform([[0.0]]), [[1.0, 2.0, 0.0]])


def test_a_gap_touches_just_the_windows_that_hold_it():
    series = np.arange(10.0).reshape(-1, 1)
    series[5] = np.nan
    windows = LookbackWindower(look_back=3).fit_transform(series)
    assert_array_equal(np.isnan(windows[2:]).any(axis=1), [0, 0, 0, 1, 1, 1, 0, 0])


@given(sizes, st.integers(0, 10**6))
def test_a_missing_value_is_filled_from_earlier_rows_alone(size, seed):
    look_back, n_more, n_columns, n_test = size
    rng = np.random.default_rng(seed)
    series = rng.normal(size=(look_back + n_more + n_test, n_columns))
    series[rng.random(series.shape) < 0.4] = np.nan
    filled = pd.DataFrame(series).ffill().to_numpy()
    n_train = look_back + n_more
    windower = LookbackWindower(look_back, fill_missing="forward")
    plain = LookbackWindower(look_back)
    learned = windower.fit_transform(series[:n_train])
    assert_array_equal(learned, plain.fit_transform(filled[:n_train]))
    assert_array_equal(
        windower.set_params(context="fit").transform(series[n_train:])[:, -n_columns:],
        filled[n_train:] if look_back > 1 else pd.DataFrame(series[n_train:]).ffill(),
    )


def test_a_missing_row_is_filled_from_earlier_rows_too():
    series = pd.DataFrame({"x": np.arange(12.0)}, pd.RangeIndex(5, 17)).drop([9, 10, 14])
    with pytest.warns(SeriesWarning, match="^X lacks a row for 9"):
        windower = LookbackWindower(4, fill_missing="forward").fit(series)
    windows = windower.transform(series)
    assert_array_equal(windows[4], [3, 3, 3, 6])
    assert_array_equal(windower.tail_, [[8], [10], [11]])
    ahead = windower.transform(pd.DataFrame({"x": [20.0]}, pd.RangeIndex(17, 18)))
    assert_array_equal(ahead, [[8, 10, 11, 20]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    assert LookbackWindower(3).fit_transform(numbers(9).astype(dtype)).dtype == dtype


def test_integers_become_float64():
    assert LookbackWindower(2).fit_transform(np.arange(8).reshape(4, 2)).dtype == np.float64


def test_windows_cost_no_more_memory_than_a_copy_of_the_series():
    series = numbers(50_000)
    windower = LookbackWindower(look_back=500).fit(series)
    tracemalloc.start()
    try:
        windows = windower.transform(series)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert windows.shape == (50_000, 500)
    assert not windows.flags.writeable
    assert peak < 3 * series.nbytes


def test_a_pickle_holds_a_window_or_two_and_not_the_series():
    windower = LookbackWindower(look_back=5).fit(numbers(100_000))
    assert len(pickle.dumps(windower)) < 2_000


def test_the_series_given_is_neither_changed_nor_kept():
    series = numbers(10)
    before = series.copy()
    windower = LookbackWindower(look_back=3).fit(series)
    windows = windower.transform(series)
    assert_array_equal(series, before)
    series[:] = 0.0
    assert_array_equal(windows[:, -1], before[:, 0])
    assert_array_equal(windower.tail_, before[-2:])


def test_feature_names_say_the_lag_with_columns_of_a_step_side_by_side():
    frame = pd.DataFrame({"price": [1.0, 2.0], "sold": [3.0, 4.0]})
    windower = LookbackWindower(look_back=2).fit(frame)
    names = ["price_lag1", "sold_lag1", "price_lag0", "sold_lag0"]
    assert list(windower.get_feature_names_out()) == names
    assert_array_equal(windower.transform(frame)[1], [1, 3, 2, 4])


def test_pandas_output_has_names_and_index():
    frame = pd.DataFrame({"price": [1.0, 2.0]}, index=pd.period_range("2020-01", periods=2))
    windows = LookbackWindower(look_back=2).set_output(transform="pandas").fit_transform(frame)
    expected = pd.DataFrame({"price_lag1": [np.nan, 1.0], "price_lag0": [1.0, 2.0]}, frame.index)
    pd.testing.assert_frame_equal(windows, expected)


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_feature_names_that_do_not_fit_are_refused(names):
    windower = LookbackWindower().fit(pd.DataFrame({"x": [1.0], "y": [2.0]}))
    with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
        windower.get_feature_names_out(names)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(LookbackWindower(12), HistGradientBoostingRegressor()),
        make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression()),
    ],
    ids=["HistGradientBoostingRegressor", "LinearRegression"],
)
def test_other_regressors_learn_from_windows(model, airline):
    X, y = airline
    model.fit(X[:100], y[:100])
    assert model.score(X[:100], y[:100]) > 0.8
    assert model.predict(X[100:]).shape == (43,)


@pytest.mark.parametrize("look_back", [0, -1, 2.5, True, "3", None])
def test_look_back_must_be_a_positive_integer(look_back):
    with pytest.raises(
        ValueError, match=f"look_back must be a positive integer, got {look_back!r}"
    ):
        LookbackWindower(look_back).fit([[1.0]])


def test_an_unknown_parameter_is_answered_with_the_nearest():
    message = r"^LookbackWindower\(\) got an .* 'lookback'; did you mean 'look_back'\?$"
    with pytest.raises(TypeError, match=message):
        LookbackWindower(lookback=3)


@pytest.mark.parametrize(
    ("name", "value"), [("padding", "zero"), ("context", True), ("fill_missing", "mean")]
)
def test_an_unknown_choice_is_named(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be one of \(.*\), got {value!r}"):
        LookbackWindower(**{name: value}).fit([[1.0]])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0], [2.0]], "look_back=3 needs at least as many rows, got n_samples=2"),
        ([1.0, 2.0, 3.0], "Expected 2D array, got 1D array"),
        ([[1.0], [np.inf], [2.0]], "Input X contains infinity"),
        ([["a"], ["b"], ["c"]], "could not convert string to float"),
        (csr_array(np.ones((5, 1))), "X must be dense, got sparse data: set sparse_output=False"),
    ],
)
def test_a_refused_series_leaves_the_earlier_fit_as_it_was(X, message):
    windower = LookbackWindower(look_back=3).fit(pd.DataFrame({"x": [1.0, 2.0, 3.0]}))
    before = pickle.dumps(windower)
    with pytest.raises((ValueError, TypeError), match=message):
        windower.fit(X)
    assert pickle.dumps(windower) == before


def test_another_number_of_columns_is_refused():
    windower = LookbackWindower().fit(numbers(5, 2))
    with pytest.raises(ValueError, match="X has 3 features, but LookbackWindower is expecting 2"):
        windower.transform(numbers(5, 3))
