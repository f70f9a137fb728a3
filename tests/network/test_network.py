"""A flat vector is the network's parameters, laid out and drawn as Keras has them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstm.network.network import Network

NETWORK = Network(n_steps=3, n_features=2, units=(5, 4), n_outputs=3)


def test_shapes_are_those_of_keras():
    keras = pytest.importorskip("keras")

    inputs = keras.Input((3, 2))
    hidden = keras.layers.LSTM(5, return_sequences=True)(inputs)
    outputs = keras.layers.Dense(3)(keras.layers.LSTM(4)(hidden))
    weights = keras.Model(inputs, outputs).get_weights()
    assert NETWORK.shapes == [weight.shape for weight in weights]


def test_views_share_the_memory_of_the_flat_vector():
    flat = np.arange(NETWORK.size, dtype=np.float32)
    parts = NETWORK.views(flat)
    parts[3][:] = -1.0
    assert (flat == -1.0).sum() == parts[3].size
    assert_array_equal(NETWORK.flatten(parts), flat)


def test_initial_parameters_are_drawn_as_keras_draws_them():
    kernel, recurrent, bias, *_, dense_bias = NETWORK.views(
        NETWORK.initial_parameters(np.random.default_rng(0))
    )
    assert np.abs(kernel).max() <= np.sqrt(6 / (2 + 20))
    assert_allclose(recurrent @ recurrent.T, np.eye(5), atol=1e-6)
    assert_array_equal(bias, np.repeat([0, 1, 0, 0], 5))
    assert_array_equal(dense_bias, 0)


def test_glorot_draws_fill_their_range_evenly():
    wide = Network(n_steps=1, n_features=50, units=(100,), n_outputs=1)
    kernel = wide.views(wide.initial_parameters(np.random.default_rng(0)))[0]
    limit = np.sqrt(6 / (50 + 400))
    assert_allclose(np.quantile(kernel, [0.25, 0.5, 0.75]) / limit, [-0.5, 0, 0.5], atol=0.02)


@pytest.mark.parametrize(("seed", "same"), [(0, True), (1, False)])
def test_a_seed_draws_the_same_parameters_again(seed, same):
    first = NETWORK.initial_parameters(np.random.default_rng(0))
    again = NETWORK.initial_parameters(np.random.default_rng(seed))
    assert np.array_equal(first, again) is same


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_steps": 0}, "n_steps must be a positive integer, got 0"),
        ({"n_features": 2.5}, "n_features must be a positive integer, got 2.5"),
        ({"n_outputs": True}, "n_outputs must be a positive integer, got True"),
        ({"units": [4]}, "units must be a tuple of positive integers, got [4]"),
        ({"units": ()}, "units must be a tuple of positive integers, got ()"),
        ({"dense_units": 4}, "dense_units must be a tuple of positive integers, got 4"),
        ({"dense_units": (0,)}, "dense_units must be a positive integer, got 0"),
        (
            {"dense_activation": "softmax"},
            "dense_activation must be one of ('linear', 'relu', 'sigmoid', 'tanh'), got 'softmax'",
        ),
        (
            {"hidden_activation": "exponential"},
            "hidden_activation must be one of ('tanh', 'relu', 'leaky_relu', 'elu', 'selu', "
            "'silu', 'softplus', 'softsign', 'sigmoid', 'linear'), got 'exponential'",
        ),
        ({"units": (0,)}, "units must be a positive integer, got 0"),
        (
            {"output_activation": "elu"},
            "output_activation must be one of ('linear', 'relu', 'sigmoid', 'softmax', 'tanh'), "
            "got 'elu'",
        ),
        ({"dropout": 1.0}, "dropout must be a number in [0, 1), got 1.0"),
        ({"recurrent_dropout": -0.1}, "recurrent_dropout must be a number in [0, 1), got -0.1"),
        ({"stateful": 1}, "stateful must be one of (True, False), got 1"),
    ],
)
def test_a_bad_value_is_refused_by_name(changes, message):
    with pytest.raises(ValueError) as refused:
        replace(NETWORK, **changes)
    assert str(refused.value) == message


def test_parts_of_other_shapes_are_not_laid_out():
    parts = NETWORK.views(np.zeros(NETWORK.size, dtype=np.float32))
    found = [part.shape for part in parts[::-1]]
    with pytest.raises(ValueError) as refused:
        NETWORK.flatten(parts[::-1])
    assert str(refused.value) == f"weights must be of the shapes {NETWORK.shapes}, got {found}"
    with pytest.raises(ValueError, match="weights must be of the shapes"):
        NETWORK.flatten(parts[:-1])
