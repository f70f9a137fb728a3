"""One representation holds for matrices, windows of a series and 3-D arrays alike."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline

from skl_lstm import LookbackWindower, LSTMForecaster, WindowScaling
from skl_lstm.network.windows import Windows


def lag_view(n_rows, look_back, n_columns):
    series = np.random.default_rng(0).normal(size=(n_rows, n_columns))
    return LookbackWindower(look_back).fit_transform(series)


@given(st.integers(1, 5), st.integers(1, 3), st.integers(5, 12), st.sampled_from(["f4", "f8"]))
def test_a_view_and_its_copy_hold_the_same_windows(look_back, n_columns, n_rows, dtype):
    view = lag_view(n_rows, look_back, n_columns).astype(dtype)
    seen = Windows.of(view, look_back, n_columns)
    copied = Windows.of(np.array(view), look_back, n_columns)
    expected = view.astype("f4").reshape(n_rows, look_back, n_columns)
    assert_array_equal(seen.view(), expected)
    assert_array_equal(copied.view(), expected)
    assert_array_equal(seen.complete(), copied.complete())


def test_a_windowed_series_stays_one_buffer():
    view = lag_view(1000, 100, 2)
    windows = Windows.of(view, 100, 2)
    assert windows.row_stride == 2
    assert windows.buffer.size == view.shape[1] + 2 * 999


@pytest.mark.parametrize(
    "part", [np.s_[::2], np.s_[3:], np.s_[::-1], np.s_[:, 2:], np.s_[:, ::2], np.s_[:1]]
)
def test_any_part_of_a_windowed_series_is_taken_as_it_reads(part):
    view = lag_view(30, 4, 1)[part]
    assert_array_equal(Windows.of(view, view.shape[1], 1).view()[..., 0], view.astype("f4"))


@given(st.integers(1, 4), st.sets(st.integers(0, 19)))
def test_rows_that_hold_a_missing_value_are_left_out(look_back, gaps):
    series = np.arange(20.0).reshape(-1, 1)
    series[list(gaps)] = np.nan
    view = LookbackWindower(look_back).fit_transform(series)
    expected = np.flatnonzero(~np.isnan(view).any(axis=1))
    complete = Windows.of(view, look_back, 1).complete()
    assert_array_equal(np.arange(20) if complete is None else np.flatnonzero(complete), expected)


@pytest.mark.parametrize("gap", [False, True], ids=["whole", "with a gap"])
@pytest.mark.parametrize("scaling", [None, "standard"])
@pytest.mark.parametrize("mode", [pytest.param("timesteps", marks=pytest.mark.slow), "features"])
def test_fitting_and_predicting_never_lay_out_all_windows(mode, scaling, gap, engine):
    series = np.random.default_rng(0).normal(size=(20_000, 1))
    series[9_000:9_003] = np.nan if gap else 0.0
    model = make_pipeline(
        LookbackWindower(300),
        LSTMForecaster(
            units=2,
            epochs=1,
            batch_size=2_000,
            reshape_mode=mode,
            engine=engine,
            window_scaling=scaling,
            mirror=scaling is not None,
        ),
    )
    model.fit(series[:400], np.zeros(400))  # whatever a first fit imports and compiles
    laid_out = len(series) * 300 * np.dtype(np.float32).itemsize
    tracemalloc.start()
    try:
        model.fit(series, np.zeros(len(series))).predict(series)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < laid_out / 3


@pytest.mark.parametrize(
    ("part", "at_most", "expected"),
    [
        (slice(None), 100, [2, 3, 4, 5, 6, 7, 8, 9]),
        (slice(None), 3, [2, 5, 8]),
        (slice(1, 4), 3, [3, 4, 5]),
        (np.array([0, 5, 7]), 2, [2, 9]),
        (slice(0, 0), 3, []),
    ],
)
def test_last_steps_of_the_selected_windows_are_evenly_spread(part, at_most, expected):
    rows = np.lib.stride_tricks.sliding_window_view(np.arange(10.0), 3)
    assert_array_equal(Windows.of(rows, 3, 1)[part].last_steps(at_most)[:, 0], expected)


def test_mirrored_windows_are_the_same_with_the_opposite_scale():
    windows = Windows.of(lag_view(8, 3, 1), 3, 1)
    scaling = WindowScaling("last", (0,), (2.0,))
    scaled = windows.scaled(scaling, *scaling.measure(windows.view()))
    scaled = scaled[np.flatnonzero(scaled.complete())]
    mirrored = scaled.mirrored()
    n = len(scaled)
    assert len(mirrored) == 2 * n
    assert_array_equal(mirrored.starts, [*scaled.starts, *scaled.starts])
    assert_array_equal(mirrored.locations[mirrored.rows[n:]], scaled.locations[scaled.rows])
    assert_array_equal(mirrored.scales[mirrored.rows[:n]], scaled.scales[scaled.rows])
    assert_array_equal(mirrored.scales[mirrored.rows[n:]], -scaled.scales[scaled.rows])


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
@pytest.mark.filterwarnings("error")
def test_what_float32_cannot_hold_is_refused(value):
    X = np.array([[1.0, value]])
    with pytest.raises(ValueError, match="Input X contains infinity or a value too large"):
        Windows.of(X, 2, 1)
