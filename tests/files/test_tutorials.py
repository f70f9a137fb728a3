"""The networks of twenty tutorials: most come over from Keras, the others are refused by name."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skl_lstm import LSTMClassifier, LSTMForecaster

keras = pytest.importorskip("keras")

layers = keras.layers
ONE, TWO = (12, 1), (12, 2)


def sequential(*given, shape=ONE):
    return keras.Sequential([keras.Input(shape), *given])


def functional():
    inputs = keras.Input(TWO)
    hidden = layers.LSTM(16, return_sequences=True)(inputs)
    hidden = layers.Dropout(0.2)(hidden)
    hidden = layers.LSTM(8)(hidden)
    hidden = layers.Dropout(0.2)(hidden)
    return keras.Model(inputs, layers.Dense(6)(layers.Dense(16, activation="relu")(hidden)))


def stateful():
    windows = keras.Input(batch_shape=(1, *ONE))
    lower, upper = (layers.LSTM(4, stateful=True, return_sequences=more) for more in (True, False))
    return keras.Sequential([windows, lower, upper, layers.Dense(1)])


TAKEN = {
    "vanilla": lambda: sequential(layers.LSTM(50), layers.Dense(1)),
    "stacked": lambda: sequential(
        layers.LSTM(50, return_sequences=True), layers.LSTM(50), layers.Dense(1)
    ),
    "dropout": lambda: sequential(
        layers.LSTM(20, return_sequences=True),
        layers.Dropout(0.2),
        layers.LSTM(20),
        layers.Dropout(0.2),
        layers.Dense(1),
    ),
    "bidirectional": lambda: sequential(layers.Bidirectional(layers.LSTM(20)), layers.Dense(1)),
    "relu": lambda: sequential(layers.LSTM(50, activation="relu"), layers.Dense(1)),
    "two dense": lambda: sequential(
        layers.LSTM(50, return_sequences=True),
        layers.LSTM(50),
        layers.Dense(25),
        layers.Dense(1),
    ),
    "gru": lambda: sequential(layers.GRU(32), layers.Dropout(0.2), layers.Dense(1)),
    "multi-step": lambda: sequential(layers.LSTM(32), layers.Dense(24)),
    "multivariate, functional": functional,
    "stateful": stateful,
    "flatten": lambda: sequential(
        layers.LSTM(16, return_sequences=True),
        layers.Flatten(),
        layers.Dense(50, activation="relu"),
        layers.Dense(1),
    ),
    "input dropout": lambda: sequential(
        layers.LSTM(20, dropout=0.2, recurrent_dropout=0.2), layers.Dense(1)
    ),
    "l2": lambda: sequential(
        layers.LSTM(20, kernel_regularizer=keras.regularizers.L2(0.01)), layers.Dense(1)
    ),
    "batch normalization": lambda: sequential(
        layers.LSTM(16, return_sequences=True),
        layers.BatchNormalization(),
        layers.LSTM(8),
        layers.BatchNormalization(),
        layers.Dense(8, activation="relu"),
        layers.Dense(1),
    ),
    "relu at the output": lambda: sequential(layers.LSTM(16), layers.Dense(1, activation="relu")),
    "classes": lambda: sequential(
        layers.LSTM(16), layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")
    ),
}

REFUSED = {
    "time distributed": lambda: sequential(
        layers.LSTM(16, return_sequences=True),
        layers.TimeDistributed(layers.Dense(1), name="each_step"),
    ),
    "encoder and decoder": lambda: sequential(
        layers.LSTM(16),
        layers.RepeatVector(3, name="each_step"),
        layers.LSTM(16, return_sequences=True),
        layers.TimeDistributed(layers.Dense(1)),
    ),
    "convolution": lambda: sequential(
        layers.Conv1D(8, 3, activation="relu", name="each_step"), layers.LSTM(16), layers.Dense(1)
    ),
    "masking": lambda: sequential(
        layers.Masking(0.0, name="each_step"), layers.LSTM(16), layers.Dense(1)
    ),
}


def lived_in(model):
    """Give what is learned besides the weights, such as moving averages, values of its own."""
    rng = np.random.default_rng(3)
    for variable in model.non_trainable_variables:
        if "seed" not in variable.path and "count" not in variable.path:
            variable.assign(rng.uniform(0.3, 1.5, variable.shape))
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(scale=0.1, size=variable.shape))
    return model


def forms(model, folder):
    yield model
    for path in (folder / "model.keras", folder / "model.h5"):
        model.save(path)
        yield path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*further training is without it", "ignore:You are saving")
@pytest.mark.parametrize("name", TAKEN)
def test_the_network_of_a_tutorial_predicts_what_it_does_in_keras(name, tmp_path):
    model = lived_in(TAKEN[name]())
    model.compile("adam", "mse")
    X = np.random.default_rng(0).normal(size=(30, *model.input_shape[1:])).astype(np.float32)
    rows = X.reshape(30, -1)
    batch_size = model.input_shape[0] or 30
    expected = model.predict(X, batch_size=batch_size, verbose=0)
    for source in forms(model, tmp_path):
        if name == "classes":
            found = LSTMClassifier.from_keras(source, loss="auto").predict_proba(rows)
        else:
            found = LSTMForecaster.from_keras(source).predict(rows).reshape(expected.shape)
        assert_allclose(found, expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:You are saving")
@pytest.mark.parametrize("name", REFUSED)
def test_the_network_of_another_tutorial_is_refused_by_the_name_of_its_layer(name, tmp_path):
    for source in forms(REFUSED[name](), tmp_path):
        with pytest.raises(ValueError, match=r"its layer 'each_step', of .* is not supported"):
            LSTMForecaster.from_keras(source)
