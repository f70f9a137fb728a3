"""The NumPy forward pass gives what Keras gives."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstm.network import forward
from skl_lstm.network.cells import CELLS
from skl_lstm.network.network import (
    DENSE_ACTIVATIONS,
    HIDDEN_ACTIVATIONS,
    OUTPUT_ACTIVATIONS,
    Network,
)


def random_weights(network, scale=0.7):
    flat = scale * np.random.default_rng(1).standard_normal(network.size)
    return network.views(flat.astype(np.float32))


def random_windows(n_rows, network, seed=2):
    shape = (n_rows, network.n_steps, network.n_features)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def keras_model(network, weights, batch_size=None):
    keras = pytest.importorskip("keras")

    inputs = outputs = keras.Input(batch_shape=(batch_size, network.n_steps, network.n_features))
    layer = getattr(keras.layers, network.recurrent_cell.keras_class)
    options = {"activation": network.hidden_activation, "stateful": network.stateful}
    for number, n_units in enumerate(network.units, 1):
        more = network.all_steps or number < len(network.units)
        made = layer(n_units, return_sequences=more, **options)
        outputs = (keras.layers.Bidirectional(made) if network.bidirectional else made)(outputs)
    if network.all_steps:
        outputs = keras.layers.Flatten()(outputs)
    for n_units in network.dense_units:
        outputs = keras.layers.Dense(n_units, network.dense_activation)(outputs)
    outputs = keras.layers.Dense(network.n_outputs, network.output_activation)(outputs)
    model = keras.Model(inputs, outputs)
    model.set_weights(weights)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    "network",
    [
        Network(1, 1, (1,), 1),
        Network(5, 1, (4,), 1),
        Network(3, 2, (7, 5, 3), 4),
        *(Network(4, 3, (6,), 3, activation) for activation in OUTPUT_ACTIVATIONS),
        *(Network(4, 3, (6, 5), 3, cell=cell, bidirectional=True) for cell in CELLS),
        Network(4, 3, (6, 5), 3, all_steps=True, bidirectional=True),
        *(
            Network(4, 3, (6, 5), 3, hidden_activation=activation, cell=cell)
            for activation in HIDDEN_ACTIVATIONS
            for cell in CELLS
        ),
        *(
            Network(4, 3, (6,), 3, dense_units=(5, 4), dense_activation=activation)
            for activation in DENSE_ACTIVATIONS
        ),
    ],
    ids=str,
)
def test_predictions_are_those_of_keras(network):
    weights, windows = random_weights(network), random_windows(11, network)
    ours = forward.predict(network, weights, windows)
    theirs = keras_model(network, weights).predict(windows, verbose=0)
    assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dense_units": (3,), "hidden_activation": "relu"},
        {"cell": "gru"},
        {"bidirectional": True},
    ],
)
def test_stateful_predictions_are_those_of_keras(options):
    network = Network(3, 2, (5, 4), 2, stateful=True, **options)
    weights, windows = random_weights(network), random_windows(9, network)
    ours, _ = forward.predict_stateful(network, weights, windows)
    theirs = keras_model(network, weights, batch_size=1).predict(windows, batch_size=1, verbose=0)
    assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("n_units", [4, 50])
def test_a_block_rounds_alike_whatever_comes_after_it(n_units):
    network = Network(4, 1, (n_units,), 1)
    weights, windows = random_weights(network, 0.2), random_windows(1000, network)
    at_once = forward.predict(network, weights, windows)
    block = forward.BLOCK_ROWS
    parts = [
        forward.predict(network, weights, windows[start : start + block])
        for start in range(0, 1000, block)
    ]
    assert_array_equal(at_once, np.concatenate(parts))


def test_values_far_out_saturate_and_nothing_overflows():
    network = Network(2, 1, (3,), 1, "sigmoid")
    weights = random_weights(network)
    windows = np.full((1, 2, 1), 1e30, dtype=np.float32)
    with np.errstate(all="raise", under="ignore"):
        outputs = forward.predict(network, weights, windows)
    assert 0.0 <= outputs[0, 0] <= 1.0


def test_a_missing_lag_is_filled_from_the_nearest_known_one_of_its_series():
    nan = np.nan
    lags = np.array([[[nan, 1], [2, nan], [3, 5]], [[nan, nan], [nan, nan], [nan, 7]]], "f4")
    filled = [[[2, 1], [2, 1], [3, 5]], [[nan, 7], [nan, 7], [nan, 7]]]
    assert_array_equal(forward.fill_missing(lags), filled)


@pytest.mark.parametrize("seed", range(5))
def test_the_known_value_before_is_nearer_than_the_one_after(seed):
    rng = np.random.default_rng(seed)
    lags = rng.normal(size=(20, 6, 2)).astype("f4")
    lags[rng.random(lags.shape) < 0.5] = np.nan
    expected = [pd.DataFrame(window).ffill().bfill() for window in lags]
    assert_array_equal(forward.fill_missing(lags), expected)


def test_lags_side_by_side_are_filled_before_they_become_features():
    network = Network(1, 3, (4,), 1)
    weights = random_weights(network)
    gap, filled = (np.array(row, "f4").reshape(1, 3, 1) for row in ([np.nan, 2, 3], [2, 2, 3]))
    assert_array_equal(
        forward.predict(network, weights, gap),
        forward.predict(network, weights, filled),
    )


def test_a_window_of_which_nothing_is_known_gives_nan_and_leaves_its_neighbors_alone():
    network = Network(2, 1, (4,), 1)
    weights, windows = random_weights(network), random_windows(3, network)
    alone = forward.predict(network, weights, windows)
    windows[1] = np.nan
    outputs = forward.predict(network, weights, windows)
    assert np.isnan(outputs[1])
    assert_array_equal(outputs[[0, 2]], alone[[0, 2]])
