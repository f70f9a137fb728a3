"""A cell is Keras's: its parts, the order of its gates, its states and its names."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstm.network.cells import LSTM

N_INPUTS, N_UNITS = 3, 4


@pytest.fixture(scope="module")
def layer():
    keras = pytest.importorskip("keras")
    layer = keras.layers.LSTM(N_UNITS)
    layer.build((None, 5, N_INPUTS))
    return layer


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def test_the_parts_have_the_names_and_shapes_of_keras(layer):
    assert list(LSTM.parts) == [weight.name for weight in layer.weights]
    shapes = [tuple(weight.shape) for weight in layer.weights]
    assert LSTM.shapes(N_INPUTS, N_UNITS) == shapes


def test_each_part_has_a_column_for_each_gate_and_unit(layer):
    assert {weight.shape[-1] for weight in layer.weights} == {LSTM.columns(N_UNITS)}
    assert LSTM.columns(N_UNITS) == len(LSTM.gates) * N_UNITS


def test_the_ones_of_a_new_bias_are_those_of_the_forget_gate(layer):
    _, _, bias = layer.get_weights()
    for gate, values in LSTM.split(bias).items():
        assert_array_equal(values, np.full(N_UNITS, gate == "forget"))


def test_the_gates_are_those_that_keras_steps_through(layer):
    x = np.random.default_rng(0).normal(size=(6, N_INPUTS)).astype(np.float32)
    before = np.random.default_rng(1).normal(size=(2, 6, N_UNITS)).astype(np.float32)
    hidden, (_, cell) = layer.cell(x, list(before))
    kernel, recurrent, bias = layer.get_weights()
    gates = LSTM.split(x @ kernel + before[0] @ recurrent + bias)
    expected = sigmoid(gates["forget"]) * before[1]
    expected += sigmoid(gates["input"]) * np.tanh(gates["cell"])
    assert_allclose(cell, expected, atol=1e-5)
    assert_allclose(hidden, sigmoid(gates["output"]) * np.tanh(expected), atol=1e-5)


def test_a_gate_is_seen_in_the_memory_of_its_part():
    part = np.zeros((N_UNITS, LSTM.columns(N_UNITS)))
    LSTM.split(part)["cell"][:] = 1.0
    assert_array_equal(part.sum(axis=0), np.repeat([0, 0, N_UNITS, 0], N_UNITS))


def test_there_are_as_many_states_as_keras_carries(layer):
    assert list(layer.cell.state_size) == [N_UNITS] * len(LSTM.states)


def test_the_class_and_the_name_of_a_layer_are_those_of_keras(layer):
    assert type(layer).__name__ == LSTM.keras_class
    assert re.fullmatch(rf"{LSTM.keras_name}(_\d+)?", layer.name)
