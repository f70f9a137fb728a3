"""A series in a file is read where it is: the same values as in memory, without the memory."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline

from skl_lstm import LookbackWindower, LSTMForecaster, WindowArray, forecast
from skl_lstm.engines.native import epochs as native_epochs
from skl_lstm.training import orders

LOOK_BACK = 5


def in_file(values, folder, mode="r"):
    file = folder / f"series {len(list(folder.iterdir()))}"
    written = np.memmap(file, values.dtype, "w+", shape=values.shape)
    written[:] = values
    written.flush()
    return np.memmap(file, values.dtype, mode, shape=values.shape)


def wave(n_rows, n_columns=1, dtype=np.float32):
    steps = np.arange(n_rows * n_columns).reshape(n_rows, n_columns)
    return np.sin(0.3 * steps + 0.001 * steps**1.3).astype(dtype)


def model_of(**settings):
    settings = {"units": 3, "epochs": 2, "batch_size": 16, "random_state": 0} | settings
    return make_pipeline(LookbackWindower(LOOK_BACK), LSTMForecaster(**settings))


def assert_same_fit(one, other):
    for ours, theirs in zip(one.weights_, other.weights_, strict=True):
        assert_array_equal(ours, theirs)
    assert one.history_ == other.history_
    for ours, theirs in zip(one.states_, other.states_, strict=True):
        assert_array_equal(ours, theirs)


@pytest.fixture(params=["at once", "by portions"])
def size_of_portion(request, monkeypatch):
    if request.param == "by portions":
        monkeypatch.setattr(native_epochs, "AT_ONCE", 50)
        monkeypatch.setattr(orders, "PART_ROWS", 64)
        monkeypatch.setattr(orders, "SPARE", 1.0)
        monkeypatch.setattr(orders, "BLOCK_ROWS", 32)


@pytest.mark.usefixtures("size_of_portion")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"reshape_mode": "features", "shuffle": False, "metrics": ["mae"]},
        {"validation_split": 0.25, "early_stopping": True, "metrics": ["mae"]},
        {"windows_per_epoch": 60},
        {"stateful": True, "batch_size": 4, "validation_split": 0.2},
        {"window_scaling": "last", "mirror": True},
        {"window_scaling": "standard"},
        {"loss": "pinball", "quantile": [0.1, 0.5, 0.9], "dropout": 0.2},
    ],
    ids=lambda settings: ", ".join(settings) or "plain",
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_series_in_a_file_gives_what_it_gives_in_memory(settings, dtype, tmp_path):
    values = wave(301, dtype=dtype)
    series = in_file(values, tmp_path)
    ours = model_of(**settings).fit(series[:-1], series[1:, 0])
    theirs = model_of(**settings).fit(values[:-1], values[1:, 0])
    assert_same_fit(ours[-1], theirs[-1])
    assert_array_equal(ours.predict(series), theirs.predict(values))
    assert_array_equal(ours.predict(series[100:220]), theirs.predict(values[100:220]))
    assert_array_equal(forecast(ours, series[:, 0], 7), forecast(theirs, values[:, 0], 7))


@pytest.mark.parametrize("windower", [{}, {"padding": "edge"}, {"fill_missing": "forward"}])
def test_gaps_and_several_columns_and_outputs_of_a_file_are_those_of_memory(windower, tmp_path):
    values = wave(200, 2)
    values[[7, 60, 61], [0, 1, 0]] = np.nan
    series = in_file(values, tmp_path)
    ours, theirs = (
        model_of(epochs=1).set_params(**{f"lookbackwindower__{k}": v for k, v in windower.items()})
        for _ in range(2)
    )
    ours.fit(series[:-1], series[1:])
    theirs.fit(values[:-1], values[1:])
    assert_same_fit(ours[-1], theirs[-1])
    assert_array_equal(ours.predict(series), theirs.predict(values))


def test_training_goes_on_block_by_block_of_a_file(tmp_path):
    values = wave(400)
    series = in_file(values, tmp_path)
    models = model_of(), model_of()
    for model, source in zip(models, (series, values), strict=True):
        windower, forecaster = model
        windower.fit(source[:100])
        for start in range(0, 399, 100):
            block = source[start : start + 100]
            y = source[start + 1 : start + 101, 0]
            # The rows before the block complete its first windows.
            windows = windower.set_params(context="fit").fit_transform(block)
            forecaster.partial_fit(windows[: len(y)], y)
            windower.fit(block)
            forecaster.partial_fit(windower.transform(block)[: len(y)], y)
    assert_same_fit(models[0][1], models[1][1])


def test_windows_of_ones_own_of_a_file_are_read_where_they_are(tmp_path):
    values = wave(300)[:, 0]
    fitted = []
    for series in (in_file(values, tmp_path), values):
        windows = np.lib.stride_tricks.sliding_window_view(series[:-1], LOOK_BACK)
        fitted.append(LSTMForecaster(units=2, epochs=1, random_state=0))
        fitted[-1].fit(windows, series[LOOK_BACK:])
    assert_same_fit(*fitted)


def test_a_target_that_is_not_transformed_may_be_in_a_file(tmp_path):
    values = wave(300)
    fitted = [
        TransformedTargetRegressor(model_of()).fit(series[:-1], series[1:, 0])
        for series in (in_file(values, tmp_path), values)
    ]
    assert_same_fit(*(model.regressor_[-1] for model in fitted))


def test_windows_of_a_file_stand_for_the_array(tmp_path):
    values = wave(20, 2)
    expected = LookbackWindower(3).fit_transform(values)
    windower = LookbackWindower(3)
    windows = windower.fit_transform(in_file(values, tmp_path))
    assert windows.shape == expected.shape
    assert windows.dtype == expected.dtype
    assert windows.size == expected.size
    assert windows.step_columns == expected.step_columns
    assert_array_equal(np.asarray(windows), expected)
    assert_array_equal(list(windows), list(expected))
    keys = [
        *(np.s_[3:], np.s_[1:7], np.s_[:0], np.s_[::2], np.s_[5], np.s_[-1], np.s_[4, 2:]),
        *(
            np.s_[:, -2:],
            np.s_[:, 4:5],
            np.s_[-3:, -1],
            np.s_[:, :3],
            np.s_[2:, ::2],
            np.s_[2:, :],
        ),
        *(np.array([3, 0]), np.arange(20) > 15, (np.array([3, 1]), np.array([0, 5]))),
    ]
    for key in keys:
        assert_array_equal(np.asarray(windows[key]), np.asarray(expected)[key])
    assert_array_equal(np.asarray(windows[2:][1:5]), expected[3:7])
    assert_array_equal(windows.complete(), ~np.isnan(expected).any(axis=1))
    stacked = np.hstack([windows, np.ones((20, 1))])
    assert isinstance(stacked, WindowArray)
    with pytest.raises(ValueError, match="laid out in a copy, got copy=False"):
        np.array(windows, copy=False)


def test_windows_of_a_file_that_follow_others_begin_with_the_rows_before(tmp_path):
    values = wave(30)
    series = in_file(values, tmp_path)
    windows = LookbackWindower(4).fit(series[:20]).transform(series[20:])
    expected = LookbackWindower(4).fit(values[:20]).transform(values[20:])
    assert_array_equal(np.asarray(windows), expected)


def test_fitting_takes_a_small_part_of_the_memory_of_a_file(tmp_path):
    n_rows = 2**24
    series = np.memmap(tmp_path / "series", np.float32, "w+", shape=(n_rows + 1,))
    for start in range(0, n_rows + 1, 2**20):
        block = series[start : start + 2**20]
        block[:] = np.sin(0.01 * (start + np.arange(len(block))))
    X, y = series[:-1, np.newaxis], series[1:]
    model = model_of(
        units=1, reshape_mode="features", batch_size=4096, epochs=1, windows_per_epoch=50_000
    )
    model.fit(X[:100], y[:100])
    tracemalloc.start()
    try:
        model.fit(X, y)
        windows = model[0].fit_transform(X)[: 2**18]
        model[1].partial_fit(windows, y[: 2**18])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < series.nbytes / 4
