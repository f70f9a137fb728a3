"""A window is normalized by itself, exactly, and its outputs come back in its units."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstm import Network, WindowScaling
from skl_lstm.network import scaling as module
from skl_lstm.network.scaling import FLOOR_SHARE, METHODS
from skl_lstm.network.windows import Windows

NETWORK = Network(n_steps=3, n_features=2, units=(2,), n_outputs=2)

# Two windows of three lags and two series.
WINDOWS = np.array([[[1, 10], [2, 20], [6, 90]], [[4, 40], [4, 40], [4, 40]]], dtype=float)


def learned(method, columns, windows):
    rows = np.flatnonzero(~np.isnan(windows).any(axis=(1, 2)))
    return WindowScaling.learn(method, columns, windows, rows, restores=True)


def values(shape):
    return arrays(np.float64, shape, elements=st.floats(-1e3, 1e3, width=32))


@pytest.mark.parametrize(
    ("method", "location", "scale"),
    [
        ("last", [6, 4], [0.5, 0.5]),
        ("mean", [0, 0], [3, 4]),
        ("standard", [3, 4], [np.sqrt(14 / 3), 0.5]),
    ],
)
def test_location_and_scale_are_those_of_the_method(method, location, scale):
    measured = WindowScaling(method, (0,), (0.5,)).measure(WINDOWS)
    assert_allclose(np.hstack(measured), np.column_stack([location, scale]))


@pytest.mark.parametrize("method", METHODS)
def test_columns_are_measured_apart_and_the_others_left_alone(method):
    scaling = WindowScaling(method, (1,), (5.0,))
    location, scale = scaling.measure(WINDOWS)
    normalized = scaling.normalize(WINDOWS, location, scale)
    assert_array_equal(normalized[..., 0], WINDOWS[..., 0])
    alone = WindowScaling(method, (0,), (5.0,))
    expected = alone.normalize(WINDOWS[..., 1:], *alone.measure(WINDOWS[..., 1:]))
    assert_array_equal(normalized[..., 1:], expected)


@given(values((5, 4, 2)), values((5, 6)), st.sampled_from(METHODS))
def test_what_is_normalized_comes_back(windows, y, method):
    scaling = WindowScaling(method, (1, 0), (0.5, 2.0))
    measured = scaling.measure(windows)
    targets = scaling.normalize_targets(y, *measured)
    assert_allclose(scaling.restore(targets, *measured), y, rtol=1e-9, atol=1e-9)


def test_outputs_belong_to_the_target_columns_in_turn():
    scaling = WindowScaling("last", (1, 0), (10.0, 1.0))
    location, scale = scaling.measure(WINDOWS)
    restored = scaling.restore(np.array([[1, 2, 3, 4], [0, 0, 0, 0]]), location, scale)
    assert_array_equal(restored, [[100, 8, 120, 10], [40, 4, 40, 4]])


def test_outputs_that_are_no_values_stay():
    scaling = WindowScaling("last", (0,), (10.0,), restores=False)
    outputs = np.array([[0.25], [0.5]])
    assert scaling.restore(outputs, *scaling.measure(WINDOWS)) is outputs


def test_the_unit_of_last_is_the_root_mean_square():
    scaling = learned("last", (0, 1), WINDOWS)
    assert_allclose(scaling.unit, [np.sqrt((25 + 16) / 6), np.sqrt((80**2 + 70**2) / 6)])


@pytest.mark.parametrize(("method", "median"), [("mean", 3.5), ("standard", np.sqrt(14 / 3))])
def test_the_smallest_scale_is_a_share_of_the_median_of_windows_that_vary(method, median):
    scaling = learned(method, (0,), WINDOWS)
    assert_allclose(scaling.unit, [FLOOR_SHARE * median])


@pytest.mark.parametrize("method", METHODS)
def test_only_the_chosen_rows_teach(method):
    missing = WINDOWS[:1] * 1000
    missing[0, 1, 1] = np.nan
    both = np.concatenate([missing, WINDOWS])
    assert learned(method, (0,), both) == learned(method, (0,), WINDOWS)


@pytest.mark.parametrize("method", ["last", "standard"])
def test_windows_of_one_value_are_measured_by_what_differs_between_them(method):
    windows = np.arange(10.0).reshape(10, 1, 1)
    scaling = learned(method, (0,), windows)
    assert_allclose(scaling.unit, [np.arange(10.0).std()])


@pytest.mark.parametrize("method", ["last", "standard"])
@pytest.mark.parametrize(
    ("level", "unit"), [(0.1, 0.1), (-7e5, 7e5), (1e-200, 1e-200), (0.0, 1.0)]
)
def test_a_constant_series_is_measured_by_its_level(method, level, unit):
    assert learned(method, (0,), np.full((30, 3, 1), level)).unit == (unit,)


def test_a_series_of_zeros_is_measured_by_one():
    assert learned("mean", (0,), np.zeros((30, 3, 1))).unit == (1.0,)


@pytest.mark.parametrize("method", ["last", "standard"])
@pytest.mark.filterwarnings("error")
def test_values_too_large_to_be_measured_are_refused(method):
    with pytest.raises(
        ValueError, match=r"^Input X contains values too large to be normalized\.$"
    ):
        learned(method, (0,), 1e200 * WINDOWS)


@given(values((4, 1)), st.integers(1, 9))
def test_the_deviations_of_a_constant_window_are_zero(levels, n_lags):
    windows = np.repeat(levels[:, np.newaxis], n_lags, axis=1)
    scaling = WindowScaling("standard", (0,), (1e-9,))
    assert not scaling.normalize(windows, *scaling.measure(windows)).any()


@pytest.mark.parametrize("method", METHODS)
def test_blocks_do_not_change_what_is_measured(method, monkeypatch):
    windows = np.random.default_rng(0).normal(size=(10, 4, 2))
    whole = learned(method, (1, 0), windows)
    measured = whole.measure(windows)
    monkeypatch.setattr(module, "BLOCK_VALUES", 3 * 8)
    blocks = learned(method, (1, 0), windows)
    assert_allclose(blocks.unit, whole.unit)
    assert_array_equal(np.hstack(blocks.measure(windows)), np.hstack(whole.measure(windows)))
    assert_array_equal(np.hstack(measured), np.hstack(whole.measure(windows)))


@pytest.mark.parametrize(("row_stride", "width"), [(2, 6), (6, 6), (1, 6)])
@pytest.mark.parametrize("method", METHODS)
def test_windows_to_be_normalized_later_are_the_same_windows(method, row_stride, width):
    series = np.random.default_rng(0).normal(size=40) + 1e6
    X = np.lib.stride_tricks.sliding_window_view(series, width)[::row_stride]
    windows = Windows.of(X, 3, 2, np.float64)
    scaling = learned(method, (1,), windows.view())
    measured = scaling.measure(windows.view())
    scaled = windows.scaled(scaling, *measured)
    assert scaled.buffer.dtype == scaled.locations.dtype == scaled.scales.dtype == np.float32
    chosen = scaled[3:7]
    gathered = chosen.view()[chosen.rows].astype(np.float64)
    gathered[..., 1] -= chosen.locations[chosen.rows]
    gathered[..., 1] /= chosen.scales[chosen.rows]
    expected = scaling.normalize(windows.view(), *measured)[3:7]
    assert_allclose(gathered[..., 1], expected[..., 1], atol=2e-5 if method != "mean" else 1e-6)
    assert_allclose(gathered[..., 0], expected[..., 0], rtol=1e-7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "first"}, "method must be one of ('last', 'mean', 'standard'), got 'first'"),
        ({"columns": [0]}, "columns must be a tuple of positions, got [0]"),
        ({"columns": ()}, "columns must be a tuple of positions, got ()"),
        ({"columns": (-1,)}, "columns must be an integer of at least 0, got -1"),
        ({"columns": (0, 0)}, "columns must all be different, got (0, 0)"),
        ({"unit": (1.0, 2.0)}, "unit must be a tuple of 1, got (1.0, 2.0)"),
        ({"unit": (0.0,)}, "unit must be positive numbers, got (0.0,)"),
        ({"unit": (np.inf,)}, "unit must be positive numbers, got (inf,)"),
        ({"restores": 1}, "restores must be one of (True, False), got 1"),
    ],
)
def test_what_is_no_scaling_is_named(changes, message):
    with pytest.raises(ValueError) as refused:
        WindowScaling(**{"method": "last", "columns": (0,), "unit": (1.0,), **changes})
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("columns", "network", "message"),
    [
        ((2,), NETWORK, "target must be columns of a step of 2, got [2]"),
        (
            (0,),
            Network(3, 2, (2,), 1, stateful=True),
            "window_scaling must be None for a stateful network",
        ),
    ],
)
def test_what_does_not_fit_the_network_is_named(columns, network, message):
    with pytest.raises(ValueError) as refused:
        WindowScaling("last", columns, (1.0,) * len(columns)).check(2, network)
    assert str(refused.value) == message


def test_y_of_other_columns_is_named():
    with pytest.raises(ValueError) as refused:
        WindowScaling("last", (0, 1), (1.0, 1.0)).check_targets(3)
    assert str(refused.value) == (
        "y must have a multiple of 2 columns, one for each target column in each step, got 3"
    )
    WindowScaling("last", (0, 1), (1.0, 1.0)).check_targets(4)
    WindowScaling("last", (0, 1), (1.0, 1.0), restores=False).check_targets(3)
